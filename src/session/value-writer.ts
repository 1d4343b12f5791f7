import { types } from 'node:util'
import { AttributeError } from '../errors.js'
import { MsgpackWriter, ValueTooLong } from './msgpack-writer.js'
import { Ext } from './value-format.js'

interface Limits {
  readonly depth: number
  readonly bytes: number
}

/**
 * Writes one value at a time. While it writes it knows the containers it is in and the key in each, so an error can
 * name the place at no cost to what is fine.
 */
export class ValueWriter {
  readonly #limits: Limits
  readonly #out: MsgpackWriter
  #root = ''
  #depth = 0
  #busy = false
  readonly #within: object[] = []
  readonly #keys: (string | number)[] = []

  constructor(limits: Limits) {
    this.#limits = limits
    this.#out = new MsgpackWriter(limits.bytes)
  }

  /** Whether it is in the middle of a value, as when a getter of that value asks for another one to be written. */
  get busy(): boolean {
    return this.#busy
  }

  write(value: unknown, root: string): Uint8Array {
    this.#depth = 0
    this.#root = root
    this.#busy = true
    try {
      this.#value(value)
      return this.#out.take()
    } catch (error) {
      if (error instanceof ValueTooLong) this.#refuse(`is larger than ${this.#limits.bytes} bytes`, 0)
      throw error
    } finally {
      this.#busy = false
      if (this.#within.length > 0) this.#within.length = 0
      this.#out.reset()
    }
  }

  #value(value: unknown): void {
    switch (typeof value) {
      case 'string':
        return this.#out.string(value)
      case 'number':
        return this.#out.number(value)
      case 'boolean':
        return this.#out.byte(value ? 0xc3 : 0xc2)
      case 'object':
        return value === null ? this.#out.byte(0xc0) : this.#object(value)
      case 'undefined':
        return this.#out.marker(Ext.undefined)
      case 'bigint':
        return this.#out.bigint(value)
      case 'function':
        return this.#refuse('is a function')
      case 'symbol':
        return this.#refuse('is a symbol')
    }
  }

  #object(value: object): void {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (Array.isArray(value) && isDirect(prototype)) return this.#array(value)
    if (prototype === Object.prototype || prototype === null) return this.#plain(value)
    if (types.isUint8Array(value)) return this.#out.binary(value)
    if (isRootPrototype(prototype)) return this.#plain(value)
    if (types.isDate(value) && isDirect(prototype)) return this.#out.date(value)
    if (types.isMap(value) && isDirect(prototype)) return this.#map(value)
    if (types.isSet(value) && isDirect(prototype)) return this.#set(value)
    this.#refuse(`is an instance of ${classNameOf(prototype)}, which would come back as something else`)
  }

  #plain(value: object): void {
    this.#enter(value)
    const fields = value as Readonly<Record<string, unknown>>
    const keys = Object.keys(fields)
    const headAt = this.#out.length
    let count = 0
    // The head is written first, for all keys; keys that hold undefined are rare, and then it is corrected.
    this.#out.mapHead(keys.length)
    for (const key of keys) {
      const field = fields[key]
      if (field === undefined) continue
      this.#keys[this.#depth] = key
      if (key === '__proto__') this.#refuse('is a key that would change the prototype of what it is copied to')
      this.#out.string(key)
      this.#value(field)
      count++
    }
    if (count !== keys.length) this.#correctHead(headAt, keys.length, count)
    this.#leave()
  }

  /** Rewrites the head of a map; the fields behind it move where its size changes. */
  #correctHead(headAt: number, written: number, count: number): void {
    const body = this.#out.copy(headAt + (written < 16 ? 1 : written < 0x1_0000 ? 3 : 5))
    this.#out.truncate(headAt)
    this.#out.mapHead(count)
    this.#out.raw(body)
  }

  #array(value: readonly unknown[]): void {
    this.#enter(value)
    const length = value.length
    this.#out.arrayHead(length)
    for (let i = 0; i < length; i++) {
      this.#keys[this.#depth] = i
      this.#value(value[i])
    }
    this.#leave()
  }

  #map(value: ReadonlyMap<unknown, unknown>): void {
    this.#enter(value)
    let missing = value.size
    this.#out.arrayHead(missing * 2 + 1)
    this.#out.marker(Ext.map)
    for (const [key, field] of value) {
      this.#keys[this.#depth] = typeof key === 'string' ? key : `(${typeof key})`
      this.#value(key)
      this.#value(field)
      missing--
    }
    this.#leave(missing)
  }

  #set(value: ReadonlySet<unknown>): void {
    this.#enter(value)
    const size = value.size
    this.#out.arrayHead(size + 1)
    this.#out.marker(Ext.set)
    let i = 0
    for (const element of value) {
      this.#keys[this.#depth] = i++
      this.#value(element)
    }
    this.#leave(size - i)
  }

  #enter(container: object): void {
    this.#within[this.#depth] = container
    this.#depth++
    if (this.#depth > this.#limits.depth) this.#tooDeep(container)
  }

  /** `missing`: elements that were promised and did not come, because a getter changed the container meanwhile. */
  #leave(missing = 0): void {
    this.#depth--
    if (missing !== 0) this.#refuse('changed while it was read')
  }

  /** A container inside itself ends up here as well: the depth is what stops it. */
  #tooDeep(container: object): never {
    const first = this.#within.findIndex((outer, at) => this.#within.indexOf(outer, at + 1) > 0)
    if (first < 0) this.#refuse(`is nested deeper than ${this.#limits.depth}`, this.#depth - 1)
    const again = this.#within.indexOf(this.#within[first] ?? container, first + 1)
    this.#refuse('contains itself', again)
  }

  #refuse(rule: string, depth: number = this.#depth): never {
    let path = this.#root
    for (let i = 1; i <= depth; i++) path += step(this.#keys[i] ?? '')
    throw new AttributeError(path, `session.${path} cannot be kept: it ${rule}`)
  }
}

/** Whether an object with this prototype is an instance of a built-in class itself, not of a subclass. */
function isDirect(prototype: unknown): boolean {
  return isRootPrototype(Object.getPrototypeOf(prototype))
}

/** Object.prototype, also that of another realm (node:vm, a test runner's sandbox). */
function isRootPrototype(prototype: unknown): prototype is object {
  if (typeof prototype !== 'object' || prototype === null) return false
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf')
}

function classNameOf(prototype: unknown): string {
  const constructor: unknown = Object(prototype).constructor
  const name = typeof constructor === 'function' ? constructor.name : ''
  return name === '' ? 'a class' : name
}

function step(key: string | number): string {
  if (typeof key === 'number') return `[${key}]`
  if (/^[A-Za-z_$][\w$]*$/.test(key)) return `.${key}`
  return `[${JSON.stringify(key.length > 40 ? `${key.slice(0, 40)}…` : key)}]`
}
