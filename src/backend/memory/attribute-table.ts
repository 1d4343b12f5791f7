import type { Attributes } from '../../session/session.js'

/** Up to so many names, looking at each takes no longer than looking one up. */
const LISTED_MAX = 16

/**
 * Names and values side by side, in the order in which they came. For the few attributes that sessions have this takes
 * less memory than a Map, and a copy far less time.
 */
export class AttributeTable implements Attributes {
  #names: string[]
  #values: Uint8Array[]
  /** Where names are, once they are many and one of them is looked for. */
  #places: Map<string, number> | undefined
  #bytes: number

  constructor(names: string[] = [], values: Uint8Array[] = [], bytes = 0) {
    this.#names = names
    this.#values = values
    this.#bytes = bytes
  }

  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#names.length
  }

  get(name: string): Uint8Array | undefined {
    return this.valueAt(this.indexOf(name))
  }

  has(name: string): boolean {
    return this.indexOf(name) >= 0
  }

  keys(): readonly string[] {
    return this.#names
  }

  /** Where an attribute is; -1 where there is none of the name. */
  indexOf(name: string): number {
    return this.#names.length > LISTED_MAX ? this.#placeOf(name) : this.#names.indexOf(name)
  }

  valueAt(at: number): Uint8Array | undefined {
    return at < 0 ? undefined : this.#values[at]
  }

  /** Adds an attribute of a name that is not there, behind all others. */
  add(name: string, value: Uint8Array): void {
    this.#places?.set(name, this.#names.length)
    this.#bytes += name.length + value.length
    this.#names.push(name)
    this.#values.push(value)
  }

  replaceAt(at: number, value: Uint8Array): void {
    this.#bytes += value.length - (this.#values[at]?.length ?? 0)
    this.#values[at] = value
  }

  /** Whoever is going through the names goes on with those there were. */
  removeAt(at: number): void {
    this.#bytes -= (this.#names[at]?.length ?? 0) + (this.#values[at]?.length ?? 0)
    this.#names = this.#names.toSpliced(at, 1)
    this.#values = this.#values.toSpliced(at, 1)
    this.#places = undefined
  }

  copy(): AttributeTable {
    return new AttributeTable(this.#names.slice(), this.#values.slice(), this.#bytes)
  }

  #placeOf(name: string): number {
    this.#places ??= new Map(this.#names.map((known, at) => [known, at]))
    return this.#places.get(name) ?? -1
  }
}
