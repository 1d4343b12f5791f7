/**
 * Values that lie one behind the other in memory, as those that one commit encoded do: one view of all of them takes a
 * tenth of what ten views take, and the collector has one object to follow. A view of one is made for whoever asks.
 */
export class ValueRow {
  readonly #bytes: Uint8Array
  readonly #ends: readonly number[]

  private constructor(bytes: Uint8Array, ends: readonly number[]) {
    this.#bytes = bytes
    this.#ends = ends
  }

  /** Undefined where the values do not lie that way. */
  static of(values: readonly Uint8Array[]): ValueRow | undefined {
    const [first] = values
    if (first === undefined || values.length < 2) return undefined
    const ends: number[] = []
    let length = 0
    for (const { buffer, byteOffset, byteLength } of values) {
      if (buffer !== first.buffer || byteOffset !== first.byteOffset + length) return undefined
      length += byteLength
      ends.push(length)
    }
    return new ValueRow(Buffer.from(first.buffer, first.byteOffset, length), ends)
  }

  at(index: number): Uint8Array {
    return this.#bytes.subarray(index === 0 ? 0 : this.#ends[index - 1], this.#ends[index])
  }

  /** Each value as a view of its own. */
  apart(): Uint8Array[] {
    return this.#ends.map((_, index) => this.at(index))
  }
}
