import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NONE, SlotIndex } from '../../src/replica/sessions/slot-index.js'

/** Few hashes, many that differ little, and any. */
const hashes = fc.oneof(
  fc.constantFrom(0, 1, 0xffff, 0x1_0000, 0xffff_ffff, 0x8000_0000),
  fc.integer({ min: 0, max: 40 }).map((low) => (0xabcd_0000 + low * 3) >>> 0),
  fc.integer({ min: 0, max: 0xffff_ffff }),
)

/** An index of slots whose key is their own number, beside a Map from slot to hash. */
class Played {
  readonly held = new Map<number, number>()
  readonly index = new SlotIndex<number>((slot, key) => slot === key)

  put(slot: number, hash: number): void {
    this.delete(slot)
    this.index.add(hash, slot)
    this.held.set(slot, hash)
  }

  delete(slot: number): void {
    const hash = this.held.get(slot)
    if (hash === undefined) return
    expect(this.index.delete(hash, slot)).toBe(true)
    this.held.delete(slot)
  }

  check(): void {
    for (const [slot, hash] of this.held) expect(this.index.find(hash, slot)).toBe(slot)
  }
}

describe('the index of slots', () => {
  test('finds what a map would find, whatever was added and deleted in whatever order', () => {
    const change = fc.record({ slot: fc.integer({ min: 0, max: 80 }), hash: hashes, isDelete: fc.boolean() })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 400 }), (changes) => {
        const played = new Played()
        for (const { slot, hash, isDelete } of changes) {
          if (isDelete) played.delete(slot)
          else played.put(slot, hash)
          played.check()
          if (!played.held.has(slot)) expect(played.index.find(hash, slot)).toBe(NONE)
        }
      }),
      { numRuns: 60 },
    )
  })

  test('finds everything while it grows and shrinks a step at a time', () => {
    const played = new Played()
    const hashOf = (slot: number): number => Math.imul(slot + 1, 0x9e3779b1) >>> 0
    for (let slot = 0; slot < 60_000; slot++) played.put(slot, hashOf(slot))
    played.check()
    // 8 bytes a cell: between three and seven eighths of them are taken, here after growing.
    expect(played.held.size / played.index.cells).toBeGreaterThan(0.6)
    expect(played.held.size / played.index.cells).toBeLessThanOrEqual(7 / 8)

    for (let slot = 0; slot < 59_900; slot++) played.delete((slot * 7_919) % 60_000)
    played.check()
    expect(played.index.cells).toBeLessThan(3_000)
  })

  test('stays right where thousands have hashes of which the first bits are the same', () => {
    const played = new Played()
    for (let slot = 0; slot < 6_000; slot++) played.put(slot, (0x1234_0000 + (slot * 10)) >>> 0)
    played.check()
    for (let slot = 0; slot < 6_000; slot += 2) played.delete(slot)

    played.check()
    expect(played.index.find(0x1234_0000, 0)).toBe(NONE)
  })

  test('puts another slot in the place of one', () => {
    const played = new Played()
    played.put(1, 77)
    played.put(2, 77)
    played.index.replace(77, 1, 3)

    expect(played.index.find(77, 1)).toBe(NONE)
    expect(played.index.find(77, 3)).toBe(3)
    expect(played.index.find(77, 2)).toBe(2)
  })
})
