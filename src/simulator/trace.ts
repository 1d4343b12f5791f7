import type { Input } from '../replica/events.js'
import { hashText } from './random.js'
import { describeInput } from './transcript.js'

interface Line {
  readonly time: number
  readonly who: string
  readonly what: Input | string
}

/** What happened, in order: a running hash over all of it, and the last lines for people. */
export class Trace {
  readonly #lines: (Line | undefined)[]
  #count = 0
  #hash = 0x811c9dc5 | 0

  /** `kept`: how many of the last lines stay readable. */
  constructor(kept: number) {
    this.#lines = Array.from<Line | undefined>({ length: kept })
  }

  /** Equal for equal runs. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0')
  }

  get length(): number {
    return this.#count
  }

  step(time: number, who: string, input: Input): void {
    this.#mix(Math.floor(time * 1000))
    this.#mix(hashOf(input))
    this.#keep(time, who, input)
  }

  note(time: number, who: string, what: string): void {
    this.#mix(hashText(what))
    this.#keep(time, who, what)
  }

  /** The last lines, oldest first, without those that `skip` leaves out. */
  lines(): readonly string[] {
    const kept = this.#lines.length
    const from = Math.max(0, this.#count - kept)
    const lines: string[] = []
    for (let at = from; at < this.#count; at++) {
      const line = this.#lines[at % kept]
      if (line === undefined) continue
      const text = typeof line.what === 'string' ? line.what : describeInput(line.what)
      if (text !== undefined)
        lines.push(`${(line.time / 1000).toFixed(4).padStart(10)}  ${line.who.padEnd(10)} ${text}`)
    }
    return lines
  }

  #keep(time: number, who: string, what: Input | string): void {
    if (this.#lines.length > 0) this.#lines[this.#count % this.#lines.length] = { time, who, what }
    this.#count++
  }

  #mix(value: number): void {
    this.#hash = Math.imul(this.#hash ^ value, 0x01000193)
    this.#hash ^= this.#hash >>> 15
  }
}

const typeHashes = new Map<string, number>()

function hashOf(input: Input): number {
  const type = input.type === 'message' ? input.message.type : input.type
  let hash = typeHashes.get(type)
  if (hash === undefined) typeHashes.set(type, (hash = hashText(type)))
  if (input.type === 'message' && input.message.type === 'delta') {
    const last = input.message.events.at(-1)
    if (last !== undefined) hash = Math.imul(hash, 31) + last.dot.counter + (last.hlc | 0)
  }
  return 'link' in input ? hash + input.link : hash
}
