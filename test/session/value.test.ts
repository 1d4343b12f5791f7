import fc from 'fast-check'
import { inspect } from 'node:util'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { AttributeError } from '../../src/errors.js'
import { areTexts, decodeValue, encodeValue, isAttributeName, VALUE_BYTES_MAX } from '../../src/session/value.js'

function roundTrip(value: unknown): unknown {
  const decoded = decodeValue(encodeValue(value, 'x'))
  if (!decoded.ok) throw new Error('own bytes refused')
  return decoded.value
}

function refusal(value: unknown, name = 'x'): AttributeError {
  try {
    encodeValue(value, name)
  } catch (error) {
    if (error instanceof AttributeError) return error
    throw error
  }
  throw new Error('was kept')
}

describe('values that are kept', () => {
  const kept: readonly unknown[] = [
    'text', '', 'äöü €', '🦊'.repeat(50), 'a'.repeat(31), 'a'.repeat(32), 'a'.repeat(300), 'ä'.repeat(40_000),
    '\ud800', 'x\udc00y', 0, 1, 127, 128, -1, -32, -33, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 53, 0.1, NaN, Infinity,
    -Infinity, true, false, null, undefined, 0n, -1n, 2n ** 70n, -(2n ** 70n), 10n ** 400n, new Date(0), new Date(NaN),
    new Map<unknown, unknown>([['a', 1], [{ b: 2 }, undefined], [NaN, new Map()]]), new Set([1, undefined, new Set()]),
    {}, { constructor: 1, toString: 2, hasOwnProperty: 3 }, [], [undefined, null], [[[[]]]], { a: { b: [1, { c: 2 }] } },
    Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`k${i}`, i])), Array.from({ length: 70_000 }, () => 1),
    { '\ud800': 1, '': 2, ä: 3 },
  ]

  it.each(kept.map((value) => ({ value, shown: inspect(value).slice(0, 60) })))('$shown comes back as it was', ({ value }) => {
    expect(roundTrip(value)).toStrictEqual(value)
  })

  it('-0 comes back as 0, at the top and inside', () => {
    expect(roundTrip(-0)).toBe(0)
    expect(roundTrip([-0])).toStrictEqual([0])
  })

  it('bytes come back as a Buffer of their own', () => {
    const stored = encodeValue(new Uint8Array([1, 2, 3]), 'x')
    const decoded = decodeValue(stored)
    if (!decoded.ok || !Buffer.isBuffer(decoded.value)) throw new Error('no Buffer')
    expect([...decoded.value]).toEqual([1, 2, 3])

    decoded.value.fill(9)

    expect(decodeValue(stored)).toMatchObject({ value: Buffer.from([1, 2, 3]) })
  })

  it('undefined inside an object is dropped, and the object is what it would be without', () => {
    expect(roundTrip({ a: undefined, b: { c: undefined } })).toStrictEqual({ b: {} })
    expect(encodeValue({ a: undefined, b: 1 }, 'x')).toEqual(encodeValue({ b: 1 }, 'x'))
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, i < 12 ? undefined : i]))
    expect(Object.keys(roundTrip(many) as object)).toHaveLength(8)
  })

  it('holes of an array become undefined', () => {
    const sparse = [1]
    sparse[3] = 4
    expect(roundTrip(sparse)).toStrictEqual([1, undefined, undefined, 4])
  })

  it('objects without a prototype, with getters and from another realm come back plain', () => {
    expect(roundTrip(Object.assign(Object.create(null), { a: 1 }))).toStrictEqual({ a: 1 })
    expect(roundTrip({ get a() { return 1 } })).toStrictEqual({ a: 1 })
    const foreign: unknown = runInNewContext('({ a: [new Date(5), new Map([[1, new Set([2])]])] })')
    expect(roundTrip(foreign)).toStrictEqual({ a: [new Date(5), new Map([[1, new Set([2])]])] })
  })

  it('what is reached twice is kept twice', () => {
    const shared = { n: 1 }
    const copy = roundTrip([shared, shared]) as [object, object]
    expect(copy).toEqual([{ n: 1 }, { n: 1 }])
    expect(copy[0]).not.toBe(copy[1])
  })

  it('nests to depth 32', () => {
    let value: unknown = 1
    for (let i = 0; i < 32; i++) value = i % 2 === 0 ? [value] : { in: value }
    expect(roundTrip(value)).toStrictEqual(value)
    expect(refusal([value]).message).toContain('nested deeper than 32')
  })

  it('a value that asks for another value while it is read harms neither', () => {
    const nested = { before: 'a', get inner() { return roundTrip({ deep: 'b' }) }, after: 'c' }
    expect(roundTrip(nested)).toStrictEqual({ before: 'a', inner: { deep: 'b' }, after: 'c' })
  })
})

describe('values that are refused', () => {
  class Money {
    amount = 1
  }
  class Fields extends Array<number> {}
  const cyclic: Record<string, unknown> = { n: 1 }
  cyclic['self'] = { back: [cyclic] }

  it.each<[string, unknown, string, string]>([
    ['a function', () => 1, 'x', 'is a function'],
    ['a symbol', Symbol('s'), 'x', 'is a symbol'],
    ['a function inside', { items: [1, 2, { price: () => 1 }] }, 'x.items[2].price', 'is a function'],
    ['a class instance', { a: new Money() }, 'x.a', 'instance of Money'],
    ['a subclass', [new Fields()], 'x[0]', 'instance of Fields'],
    ['a RegExp', /x/, 'x', 'instance of RegExp'],
    ['an Error', new Error('x'), 'x', 'instance of Error'],
    ['a Promise', Promise.resolve(), 'x', 'instance of Promise'],
    ['a WeakMap', new WeakMap(), 'x', 'instance of WeakMap'],
    ['a URL', new URL('http://x'), 'x', 'instance of URL'],
    ['another typed array', new Uint16Array(2), 'x', 'instance of Uint16Array'],
    ['an ArrayBuffer', new ArrayBuffer(2), 'x', 'instance of ArrayBuffer'],
    ['a boxed string', new String('x'), 'x', 'instance of String'],
    ['a key that reaches a prototype', { a: JSON.parse('{"__proto__":{"admin":true}}') }, 'x.a.__proto__', 'prototype'],
    ['a cycle', cyclic, 'x.self.back[0]', 'contains itself'],
    ['a function in a Map', new Map([['k', () => 1]]), 'x.k', 'is a function'],
    ['a key that is no word', { 'a b': Symbol('s') }, 'x["a b"]', 'is a symbol'],
    ['an array of holes', Object.assign([], { length: 4_000_000_000 }), 'x', 'larger than'],
    ['more than 1 MiB', 'a'.repeat(VALUE_BYTES_MAX + 1), 'x', 'larger than'],
  ])('%s, with the path and the rule', (_, value, path, rule) => {
    const error = refusal(value)
    expect(error.path).toBe(path)
    expect(error.message).toContain(rule)
    expect(error.message).toContain(`session.${path} cannot be kept`)
  })

  it('a container that a getter changes while it is read', () => {
    const map = new Map<unknown, unknown>()
    map.set('grow', { get more() { return map.delete('late') } })
    map.set('late', 1)
    expect(refusal(map).message).toContain('changed while it was read')
  })
})

describe('any value', () => {
  const leaf = fc.oneof(
    fc.string({ unit: 'binary' }), fc.double(), fc.integer(), fc.boolean(), fc.constant(null), fc.bigInt(),
    fc.date({ noInvalidDate: false }), fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.string().map((text) => `${text}\ud83d`),
  )
  const key = fc.string({ unit: 'binary', maxLength: 40 }).filter((name) => name !== '__proto__')
  const { value: anything } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      fc.array(fc.oneof(tie('value'), fc.constant(undefined)), { maxLength: 20 }),
      fc.dictionary(key, tie('value'), { maxKeys: 20, noNullPrototype: true }),
      fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 6 }).map((entries) => new Map(entries)),
      fc.array(tie('value'), { maxLength: 6 }).map((elements) => new Set(elements)),
    ),
  }))

  it('comes back as it was, and gives the same bytes again', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const bytes = encodeValue(value, 'x')
        const decoded = decodeValue(bytes)
        if (!decoded.ok) throw new Error('own bytes refused')
        expect(decoded.value).toStrictEqual(zeroed(value))
        expect(Buffer.compare(encodeValue(decoded.value, 'x'), bytes)).toBe(0)
      }),
      { numRuns: 500 },
    )
  })

  it('whose bytes are changed, cut or made up reads as another value or not at all', () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.tuple(anything, fc.nat(), fc.nat({ max: 255 })).map(([value, at, byte]) => {
        const bytes = encodeValue(value, 'x')
        bytes[at % bytes.length] = byte
        return bytes
      }),
      fc.tuple(anything, fc.nat()).map(([value, at]) => encodeValue(value, 'x').subarray(0, at)),
    )
    const before = Object.getOwnPropertyNames(Object.prototype).join()
    fc.assert(
      fc.property(hostile, (bytes) => {
        const decoded = decodeValue(bytes)
        if (decoded.ok) encodeValue(decoded.value, 'x')
      }),
      { numRuns: 8_000 },
    )
    expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(before)
  })

  it.each([
    ['nothing', ''],
    ['the byte that MessagePack never uses', 'c1'],
    ['bytes after the value', '0101'],
    ['a record definition of msgpackr', 'd4724093a161a162a163010203'],
    ['a RegExp of msgpackr', 'c7047892a161a0'],
    ['an Error of msgpackr', 'd46500'],
    ['a map with a number for a key', '810102'],
    ['a map with the key __proto__', '81a95f5f70726f746f5f5f01'],
    ['an array longer than the bytes', 'ddffffffff'],
    ['a string longer than the bytes', 'dbffffffff61'],
    ['a string that is not UTF-8', 'a2c328'],
    ['a Map with a key and no value', '92d44d0001'],
    ['a marker in the wrong place', '9201d44d00'],
    ['a bigint without digits', 'c7014200'],
    ['a 33rd level', `${'91'.repeat(33)}01`],
  ])('decoding refuses %s', (_, hex) => {
    expect(decodeValue(Buffer.from(hex, 'hex'))).toEqual({ ok: false })
  })
})

it('names are 1 to 256 well-formed characters without control characters, and not __proto__', () => {
  for (const name of ['a', 'constructor', 'toString', 'prototype', 'ä 🦊', 'a'.repeat(256)]) expect(isAttributeName(name)).toBe(true)
  for (const name of ['', '\u0000principal', 'a\n', '\u007f', '\ud800', '__proto__', 'a'.repeat(257)]) {
    expect(isAttributeName(name)).toBe(false)
  }
})

/** The value with every -0 as 0, which is how it is kept. */
function zeroed(value: unknown): unknown {
  if (Object.is(value, -0)) return 0
  if (Array.isArray(value)) return value.map(zeroed)
  if (value instanceof Map) return new Map([...value].map(([key, field]) => [zeroed(key), zeroed(field)]))
  if (value instanceof Set) return new Set([...value].map(zeroed))
  if (Buffer.isBuffer(value) || value instanceof Date || typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, zeroed(field)]))
}

describe('bytes that are texts', () => {
  const bytesOf = (value: unknown): Uint8Array => encodeValue(value, 'x')
  const long = 'x'.repeat(300)

  it.each([['a', ''], ['x'.repeat(40), 'y'.repeat(200)], [long, `${long}ä`], ['z'.repeat(70_000), 'y'.repeat(70_000)]])(
    'in one form are told at sight',
    (a, b) => {
      expect(areTexts(bytesOf(a), bytesOf(b))).toBe(true)
    },
  )

  it.each([[1, 2], ['a', 1], [1, 'a'], [[1], [2]], [{ a: 1 }, 'a'], [new Map(), new Map([[1, 2]])], ['\ud800', '\ud801'], [null, 'a']])(
    'and others are not taken for such: %j, %j',
    (a, b) => {
      expect(areTexts(bytesOf(a), bytesOf(b))).toBe(false)
    },
  )

  it('in another form than this encoder gives them are looked at more closely', () => {
    const short = Uint8Array.of(0xa1, 0x61)

    expect(areTexts(short, Uint8Array.of(0xd9, 1, 0x61))).toBe(false)
    expect(areTexts(Uint8Array.of(0xd9, 1, 0x61), Uint8Array.of(0xda, 0, 1, 0x61))).toBe(false)
  })
})
