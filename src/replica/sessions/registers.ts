import type { Merged } from '../../session/merged.js'
import type { Attributes } from '../../session/session.js'
import type { Register } from '../events.js'
import { isPresent } from '../merge/merged.js'
import { isAttribute, isMerged } from '../merge/register.js'

/** Makes an attribute's encoded value of what was merged; undefined where it was removed. */
export type EncodeMerged = (merged: Merged) => Uint8Array | undefined

/** The register of this name; registers are sorted by name. */
export function registerOf(registers: readonly Register[], name: string): Register | undefined {
  return isReserved(name) ? reservedOf(registers, name) : registers[indexOf(registers, name)]
}

/** Reserved registers come first, and most sessions have none: a look at the first one says so. */
function reservedOf(registers: readonly Register[], name: string): Register | undefined {
  for (const register of registers) {
    if (register.name === name) return register
    if (!isReserved(register.name)) return undefined
  }
  return undefined
}

function isReserved(name: string): boolean {
  return name.charCodeAt(0) === 0
}

/** The registers after each of `items` changed the one of its name. Answers `into` itself when nothing changed. */
export function updated<T extends { readonly name: string }>(
  into: readonly Register[],
  items: readonly T[],
  change: (held: Register | undefined, item: T) => Register,
): readonly Register[] {
  let registers: Register[] | undefined
  for (const item of items) {
    const at = indexOf(registers ?? into, item.name)
    const held = (registers ?? into)[at]
    const register = change(held, item)
    if (register === held) continue
    registers ??= [...into]
    if (at >= 0) registers[at] = register
    else insert(registers, ~at, register)
  }
  if (registers === undefined) return into
  // What was inserted left room for more behind it; this copy has none.
  return registers.length > into.length ? registers.slice() : registers
}

/** Splicing would make an array of what it removes, of nothing. */
function insert(registers: Register[], at: number, register: Register): void {
  registers.push(register)
  for (let i = registers.length - 1; i > at; i--) registers[i] = registers[i - 1] as Register
  registers[at] = register
}

/** Attributes as the HTTP layer reads them: encoded values by name, without removed and reserved registers. */
export class RegisterView implements Attributes {
  readonly #registers: readonly Register[]
  readonly #encode: EncodeMerged
  /** Behind the one that was asked for last: most ask for all, in their order. */
  #next = 0

  constructor(registers: readonly Register[], encode: EncodeMerged) {
    this.#registers = registers
    this.#encode = encode
  }

  get size(): number {
    return this.#registers.reduce((count, register) => (isAttribute(register) ? count + 1 : count), 0)
  }

  get(name: string): Uint8Array | undefined {
    const value = this.#find(name)?.value
    if (value instanceof Uint8Array) return value
    return value !== undefined && isMerged(value) && isPresent(value) ? this.#encode(value) : undefined
  }

  has(name: string): boolean {
    const register = this.#find(name)
    return register !== undefined && isAttribute(register)
  }

  keys(): readonly string[] {
    const names: string[] = []
    for (const register of this.#registers) if (isAttribute(register)) names.push(register.name)
    return names
  }

  #find(name: string): Register | undefined {
    const next = this.#registers[this.#next]
    if (next?.name === name) {
      this.#next++
      return next
    }
    const at = indexOf(this.#registers, name)
    if (at >= 0) this.#next = at + 1
    return this.#registers[at]
  }
}

/** Where `name` stands in sorted registers, or the complement of where it belongs. */
function indexOf(registers: readonly Register[], name: string): number {
  let low = 0
  let high = registers.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const at = (registers[middle] as Register).name
    if (at === name) return middle
    if (at < name) low = middle + 1
    else high = middle - 1
  }
  return ~low
}
