import type { Attributes } from '../../session/session.js'
import { ValueRow } from './value-row.js'

/** Up to so many names, looking at each takes no longer than looking one up. */
const LISTED_MAX = 16

/** What the table that was compacted last is called by: most sessions of an application begin with the same names. */
let common: string[] = []

/**
 * Names and values side by side, in the order in which they came. For the few attributes that sessions have this takes
 * less memory than a Map, and a copy far less time.
 */
export class AttributeTable implements Attributes {
  #names: string[]
  /** Others have the same array: it is copied before anything is added. */
  #namesAreShared = true
  #values: Uint8Array[]
  /** Instead of values, where they lie in a row. */
  #row: ValueRow | undefined
  /** Where names are, once they are many and one of them is looked for. */
  #places: Map<string, number> | undefined
  #bytes: number

  constructor(names: string[] = [], values: Uint8Array[] | ValueRow = [], bytes = 0) {
    this.#names = names
    this.#row = values instanceof ValueRow ? values : undefined
    this.#values = values instanceof ValueRow ? [] : values
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
    if (at < 0) return undefined
    return this.#row === undefined ? this.#values[at] : this.#row.at(at)
  }

  /** Adds an attribute of a name that is not there, behind all others. */
  add(name: string, value: Uint8Array): void {
    this.#spread()
    if (this.#namesAreShared) this.#names = this.#names.slice()
    this.#namesAreShared = false
    this.#places?.set(name, this.#names.length)
    this.#bytes += name.length + value.length
    this.#names.push(name)
    this.#values.push(value)
  }

  replaceAt(at: number, value: Uint8Array): void {
    this.#spread()
    this.#bytes += value.length - (this.#values[at]?.length ?? 0)
    this.#values[at] = value
  }

  /** Whoever is going through the names goes on with those there were. */
  removeAt(at: number): void {
    this.#spread()
    this.#bytes -= (this.#names[at]?.length ?? 0) + (this.#values[at]?.length ?? 0)
    this.#names = this.#names.toSpliced(at, 1)
    this.#namesAreShared = false
    this.#values = this.#values.toSpliced(at, 1)
    this.#places = undefined
  }

  copy(): AttributeTable {
    this.#namesAreShared = true
    return new AttributeTable(this.#names, this.#row ?? this.#values.slice(), this.#bytes)
  }

  /** Takes less memory from now on, as long as nothing is written. */
  compact(): void {
    if (this.#row !== undefined || this.#names.length === 0) return
    if (isSame(this.#names, common)) this.#names = common
    else common = this.#names
    this.#namesAreShared = true
    this.#row = ValueRow.of(this.#values)
    if (this.#row !== undefined) this.#values = []
  }

  #spread(): void {
    if (this.#row === undefined) return
    this.#values = this.#row.apart()
    this.#row = undefined
  }

  #placeOf(name: string): number {
    this.#places ??= new Map(this.#names.map((known, at) => [known, at]))
    return this.#places.get(name) ?? -1
  }
}

function isSame(names: readonly string[], others: readonly string[]): boolean {
  return names.length === others.length && names.every((name, at) => name === others[at])
}
