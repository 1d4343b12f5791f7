import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AttributeTable } from '../../src/backend/memory/attribute-table.js'

/** More names than are looked at one by one. */
const NAMES = 40

type Step = readonly ['set' | 'remove', number, number] | readonly ['copy' | 'compact']

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant('set' as const), fc.nat(NAMES - 1), fc.nat(255)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('remove' as const), fc.nat(NAMES - 1), fc.constant(0)) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('copy' as const, 'compact' as const)) },
)

const slab = Buffer.alloc(64 * 1024)
let taken = 0

/**
 * As many bytes as the number says: sums of them show what was counted. Each holds that number, and lies behind the one
 * made before it, as those of one commit do.
 */
function value(bytes: number): Uint8Array {
  if (taken + bytes > slab.length) taken = 0
  taken += bytes
  return slab.subarray(taken - bytes, taken).fill(bytes)
}

/** What a table says, asked in every way. */
function contents(table: AttributeTable): readonly (readonly [string, number | undefined])[] {
  const listed = [...table.keys()].map((name) => [name, table.get(name)?.length] as const)
  for (const [name, bytes] of listed) expect(table.get(name)?.every((byte) => byte === bytes)).toBe(true)
  expect(table.size).toBe(listed.length)
  expect(table.bytes).toBe(listed.reduce((sum, [name, bytes = 0]) => sum + name.length + bytes, 0))
  for (let i = 0; i < NAMES; i++) expect(table.has(`a${i}`)).toBe(listed.some(([name]) => name === `a${i}`))
  return listed
}

describe('a table of attributes', () => {
  it('holds what a Map would, in its order, and a copy stays what it was', () => {
    const run = (steps: readonly Step[]): void => {
      const table = new AttributeTable()
      const model = new Map<string, number>()
      const copies: (readonly [AttributeTable, readonly (readonly [string, number])[]])[] = []
      for (const [what, index = 0, bytes = 0] of steps) {
        const name = `a${index}`
        const at = table.indexOf(name)
        if (what === 'copy') copies.push([table.copy(), [...model]])
        else if (what === 'compact') table.compact()
        else if (what === 'remove') {
          if (at >= 0) table.removeAt(at)
          model.delete(name)
        } else {
          if (at < 0) table.add(name, value(bytes))
          else table.replaceAt(at, value(bytes))
          model.set(name, bytes)
        }
        expect(contents(table)).toEqual([...model])
      }
      for (const [copy, then] of copies) expect(contents(copy)).toEqual(then)
    }
    fc.assert(fc.property(fc.array(step, { size: 'max', maxLength: 120 }), run), { numRuns: 60 })
  })

  it('and its copy are written one without the other, also where names are many', () => {
    const table = new AttributeTable()
    for (let i = 0; i < NAMES; i++) table.add(`a${i}`, value(i))
    expect(table.has('a1')).toBe(true)
    const copy = table.copy()

    copy.add('of the copy', value(1))
    table.add('of the table', value(2))
    table.add('of the copy', value(3))

    expect(table.get('of the table')?.length).toBe(2)
    expect(table.get('of the copy')?.length).toBe(3)
    expect(copy.get('of the copy')?.length).toBe(1)
    expect(copy.has('of the table')).toBe(false)
  })

  it('is as it was once it is compacted, also beside others of the same names', () => {
    const tables = [1, 2].map((first) => {
      const table = new AttributeTable()
      for (const [at, name] of ['a', 'b', 'c'].entries()) table.add(name, value(first + at))
      table.compact()
      return table
    })
    const [one, other] = tables
    const before = one?.copy()

    one?.replaceAt(1, value(9))
    one?.add('d', value(4))
    one?.removeAt(0)

    const lengths = (table?: AttributeTable): unknown => table?.keys().map((name) => [name, table.get(name)?.length])
    expect(lengths(one)).toEqual([['b', 9], ['c', 3], ['d', 4]])
    expect(lengths(before)).toEqual([['a', 1], ['b', 2], ['c', 3]])
    expect(lengths(other)).toEqual([['a', 2], ['b', 3], ['c', 4]])
  })

  it('lets whoever goes through the names finish with those there were', () => {
    const table = new AttributeTable()
    for (const name of ['a', 'b', 'c']) table.add(name, value(1))

    const seen: string[] = []
    for (const name of table.keys()) {
      seen.push(name)
      if (table.has('a')) table.removeAt(table.indexOf('a'))
    }

    expect(seen).toEqual(['a', 'b', 'c'])
  })
})
