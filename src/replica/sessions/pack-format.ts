import { sameDot, type Dot } from '../../session/session.js'

/** What the first byte of a number says where it is not part of the number; others are the varint of number + 2. */
const Special = { float: 0, infinity: 1 } as const
const PLAIN = 2
const PLAIN_MAX = Number.MAX_SAFE_INTEGER - PLAIN

/** Which event a dot names: the one the session was born with, another of the same actor, or any. */
const Event = { birth: 0, sameActor: 1, other: 2 } as const

const FLOAT_BYTES = 8

/** Names read lately, each at a place that its characters choose: those of attributes are the same in most sessions. */
const names: string[] = Array.from({ length: 256 }, () => '')
const NAMED_MAX = 32
/** By length, where the characters of a text are gathered. */
const codesOf: number[][] = []
const GATHERED_MAX = 64

/** Writes numbers, dots, texts and bytes of one session after the other into memory that it keeps. */
export class PackWriter {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #birth: Dot = { actor: 0, counter: 0 }
  #at = 0

  /** `bytesMax`: whoever writes sees to it that this is enough. */
  constructor(bytesMax: number) {
    this.#bytes = new Uint8Array(bytesMax)
    this.#view = new DataView(this.#bytes.buffer)
  }

  start(birth: Dot): void {
    this.#birth = birth
    this.#at = 0
  }

  isBirth(dot: Dot): boolean {
    return sameDot(dot, this.#birth)
  }

  /** A view, good until the next start. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#at)
  }

  number(value: number): void {
    if (value >= 0 && value <= PLAIN_MAX && Number.isInteger(value) && !Object.is(value, -0)) {
      this.#varint(value + PLAIN)
    } else if (value === Infinity) {
      this.#byte(Special.infinity)
    } else {
      this.#byte(Special.float)
      this.#view.setFloat64(this.#at, value)
      this.#at += FLOAT_BYTES
    }
  }

  dot(dot: Dot): void {
    const { actor, counter } = this.#birth
    if (this.isBirth(dot)) {
      this.#byte(Event.birth)
    } else if (dot.actor === actor) {
      this.#byte(Event.sameActor)
      this.number(dot.counter - counter)
    } else {
      this.#byte(Event.other)
      this.number(dot.actor)
      this.number(dot.counter)
    }
  }

  /** One byte per character where all fit into one, else two; the last bit of the length says which. */
  text(text: string): void {
    const start = this.#at
    this.number(text.length * 2)
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code > 0xff) return this.#wideText(text, start)
      this.#byte(code)
    }
  }

  bytes(bytes: Uint8Array): void {
    this.number(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  #wideText(text: string, start: number): void {
    this.#at = start
    this.number(text.length * 2 + 1)
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      this.#byte(code >>> 8)
      this.#byte(code & 0xff)
    }
  }

  #varint(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.#byte((rest % 0x80) | 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.#byte(rest)
  }

  #byte(byte: number): void {
    this.#bytes[this.#at++] = byte
  }
}

/** Reads what a PackWriter wrote, where it lies. */
export class PackReader {
  readonly #bytes: Uint8Array
  readonly birth: Dot
  #at: number

  constructor(bytes: Uint8Array, at: number, birth: Dot) {
    this.#bytes = bytes
    this.#at = at
    this.birth = birth
  }

  number(): number {
    const first = this.#byte()
    if (first === Special.infinity) return Infinity
    if (first === Special.float) return this.#float()
    let value = first & 0x7f
    let byte = first
    for (let unit = 0x80; byte >= 0x80; unit *= 0x80) {
      byte = this.#byte()
      value += (byte & 0x7f) * unit
    }
    return value - PLAIN
  }

  dot(): Dot {
    const { actor, counter } = this.birth
    switch (this.#byte()) {
      case Event.birth:
        return this.birth
      case Event.sameActor:
        return { actor, counter: counter + this.number() }
      default:
        return { actor: this.number(), counter: this.number() }
    }
  }

  skipDot(): void {
    const event = this.#byte()
    if (event !== Event.birth) this.number()
    if (event === Event.other) this.number()
  }

  text(): string {
    const head = this.number()
    const length = Math.floor(head / 2)
    const codes = length > GATHERED_MAX ? [] : (codesOf[length] ??= [])
    for (let i = 0; i < length; i++) codes[i] = this.#code(head)
    return String.fromCharCode(...codes)
  }

  /** A text that is likely to be read many times. */
  name(): string {
    const start = this.#at
    const head = this.number()
    const length = Math.floor(head / 2)
    let place = length
    for (let i = 0; i < length; i++) place = (place * 31 + this.#code(head)) & (names.length - 1)
    const end = this.#at
    this.#at = start
    const known = names[place] as string
    if (this.isText(known)) return known
    this.#at = start
    const name = this.text()
    if (length <= NAMED_MAX) names[place] = name
    this.#at = end
    return name
  }

  skipText(): void {
    const head = this.number()
    this.#at += Math.floor(head / 2) * (1 + (head % 2))
  }

  /** Whether the next text is this one. */
  isText(text: string): boolean {
    const head = this.number()
    const length = Math.floor(head / 2)
    const end = this.#at + length * (1 + (head % 2))
    let same = 0
    if (length === text.length) while (same < length && this.#code(head) === text.charCodeAt(same)) same++
    this.#at = end
    return length === text.length && same === length
  }

  /** A view of what is read. */
  bytes(): Uint8Array {
    const length = this.number()
    const start = this.#at
    this.#at += length
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + start, length)
  }

  #code(head: number): number {
    return head % 2 === 0 ? this.#byte() : this.#byte() * 0x100 + this.#byte()
  }

  #float(): number {
    const view = new DataView(new ArrayBuffer(FLOAT_BYTES))
    for (let i = 0; i < FLOAT_BYTES; i++) view.setUint8(i, this.#byte())
    return view.getFloat64(0)
  }

  #byte(): number {
    return this.#bytes[this.#at++] as number
  }
}
