import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Arena, KEPT_BYTES_MAX } from '../../src/replica/sessions/arena.js'
import { Random } from '../../src/simulator/random.js'

const SLAB_BYTES = 32 * 1024
/** Of the owner, beside each. */
const OWNER_BYTES = 4

type Step = { readonly type: 'put'; readonly owner: number; readonly length: number } | { readonly type: 'delete'; readonly owner: number }

const lengths = fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 0, max: 400 }) }, fc.integer({ min: 0, max: KEPT_BYTES_MAX }))
const owners = fc.integer({ min: 0, max: 60 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant('put' as const), owner: owners, length: lengths }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), owner: owners }) },
)

/** An arena beside a Map that holds the same. */
class Played {
  readonly held = new Map<number, Uint8Array>()
  readonly #addresses = new Map<number, number>()
  readonly arena = new Arena((owner, address) => void this.#addresses.set(owner, address))
  #puts = 0

  do(each: Step): void {
    const address = this.#addresses.get(each.owner)
    if (address !== undefined) this.arena.delete(address)
    this.#addresses.delete(each.owner)
    this.held.delete(each.owner)
    if (each.type === 'delete') return
    const bytes = new Uint8Array(each.length).fill(++this.#puts)
    this.#addresses.set(each.owner, this.arena.add(each.owner, bytes))
    this.held.set(each.owner, bytes)
  }

  read(owner: number, length: number): Uint8Array {
    const address = this.#addresses.get(owner) ?? -1
    const offset = this.arena.offsetAt(address)
    return this.arena.memoryAt(address).slice(offset, offset + length)
  }
}

describe('the arena', () => {
  test('holds what a map would hold, whatever is put, replaced and deleted in whatever order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const played = new Played()
        for (const each of steps) {
          played.do(each)
          for (const [owner, bytes] of played.held) expect(played.read(owner, bytes.length)).toEqual(bytes)
        }
      }),
      { numRuns: 60 },
    )
  })

  test('takes at most a sixteenth more than what it holds, and two slabs for each size, after much came and went', () => {
    const dice = new Random(11)
    const played = new Played()
    const length = (): number => dice.integer(100, 1_500)
    for (let owner = 0; owner < 20_000; owner++) played.do({ type: 'put', owner, length: length() })
    for (let i = 0; i < 40_000; i++) {
      const owner = dice.integer(0, 19_999)
      played.do(dice.chance(0.4) ? { type: 'put', owner, length: length() } : { type: 'delete', owner })
    }
    const least = [...played.held.values()].reduce((sum, bytes) => sum + bytes.length, 0)
    const [perSession, perSize, sizes] = [8 + OWNER_BYTES, 2 * SLAB_BYTES, 65]

    expect(played.held.size).toBeGreaterThan(5_000)
    expect(played.arena.bytes).toBeLessThanOrEqual(least * (1 + 1 / 16) + played.held.size * perSession + sizes * perSize)
  })

  test('gives memory back when what it held is gone, in whatever order that goes', () => {
    const played = new Played()
    const all = Array.from({ length: 20_000 }, (_, owner) => owner)
    for (const owner of all) played.do({ type: 'put', owner, length: 300 })
    const full = played.arena.bytes
    for (const owner of all) played.do({ type: 'delete', owner: (owner * 7_919) % all.length })

    expect(full).toBeGreaterThan(20_000 * 300)
    expect(full).toBeLessThan(20_000 * 330)
    expect(played.held.size).toBe(0)
    expect(played.arena.bytes).toBeLessThanOrEqual(SLAB_BYTES * 1.1)
  })
})
