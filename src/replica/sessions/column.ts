type Numbers = Float64Array | Uint32Array

/** Long enough that a million numbers are few objects; short enough that adding one is never felt. */
const PART_BITS = 11
const PART_LENGTH = 2 ** PART_BITS
const IN_PART = PART_LENGTH - 1
/** The first part begins with so few: most replicas of a simulation hold no more. */
const FIRST_LENGTH = 64

/**
 * Numbers by slot, outside the heap. It grows by a part at a time: nothing is copied, whatever there is already, but for
 * the first part, which doubles.
 */
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
    const part = this.#parts[slot >>> PART_BITS]
    const at = slot & IN_PART
    if (part !== undefined && at < part.length) part[at] = value
    else this.#grown(slot)[at] = value
  }

  /** The part for a slot, now that there is one. */
  #grown(slot: number): Numbers {
    const first = this.#parts[0] ?? this.#make(FIRST_LENGTH)
    let length = first.length
    while (length < PART_LENGTH && length <= slot) length *= 2
    this.#parts[0] = length === first.length ? first : this.#longer(first, length)
    while (slot >>> PART_BITS >= this.#parts.length) this.#parts.push(this.#make(PART_LENGTH))
    return this.#parts[slot >>> PART_BITS] as Numbers
  }

  #longer(part: Numbers, length: number): Numbers {
    const longer = this.#make(length)
    longer.set(part)
    return longer
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
