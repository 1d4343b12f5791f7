type Numbers = Float64Array | Uint32Array

/** Long enough that a million numbers are few objects; short enough that adding one is never felt. */
const PART_BITS = 11
const PART_LENGTH = 2 ** PART_BITS
const IN_PART = PART_LENGTH - 1

/** Numbers by slot, outside the heap. It grows by a part at a time: nothing is copied, whatever there is already. */
export class Column {
  readonly #make: (length: number) => Numbers
  readonly #parts: Numbers[] = []

  constructor(make: (length: number) => Numbers) {
    this.#make = make
  }

  /** 0 until it is set; whoever asks has set one at or behind `slot`. */
  get(slot: number): number {
    return (this.#parts[slot >>> PART_BITS] as Numbers)[slot & IN_PART] as number
  }

  set(slot: number, value: number): void {
    const at = slot >>> PART_BITS
    while (at >= this.#parts.length) this.#parts.push(this.#make(PART_LENGTH))
    ;(this.#parts[at] as Numbers)[slot & IN_PART] = value
  }
}

/** Whole numbers below 2^32. */
export function integers(): Column {
  return new Column((length) => new Uint32Array(length))
}

/** Any numbers. */
export function floats(): Column {
  return new Column((length) => new Float64Array(length))
}
