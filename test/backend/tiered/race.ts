import { expect } from 'vitest'
import type { TieredOptions } from '../../../src/backend/tiered/tiered.js'
import { report } from '../../support/load.js'
import { Clock, delta, LIVES, load, memory, Remote, tieredNodes, turns } from './support.js'

/**
 * Three nodes bring the same session over from the far backend while one of them logs it out, everything arriving a few
 * turns earlier or later: whatever was on its way, nothing is alive afterwards, on no node and not on the far side.
 */
export async function logoutRace(mode: TieredOptions['mode'], trials: number): Promise<void> {
  const clock = new Clock()
  const held = memory(clock.now)
  const source = memory(clock.now)
  const random = randomFrom(7)
  const far = (): Remote => new Remote(held, () => Math.floor(random() * 3))
  const { tiers, nearest, close } = await tieredNodes(3, far, clock, { mode, warmUpMax: 0 })
  const counts = { here: 0, there: 0, served: 0, found: 0 }

  for (let trial = 0; trial < trials; trial++) {
    const { id, ref } = source.create(delta({ trial }), LIVES)
    const session = source.exportOne(ref)
    if (session === undefined) throw new Error('not exported')
    held.importOne(session)
    const logsOut = Math.floor(random() * 3)

    await Promise.all(
      tiers.map(async (tier, node) => {
        await turns(Math.floor(random() * 4))
        const found = await load(tier, id)
        if (found.state !== 'found') return
        counts.found++
        if (node === logsOut) await tier.destroy(found.ref, 'logged-out', {})
        else if (random() < 0.5) await tier.save(found.ref, delta({ late: node }), {})
      }),
    )
    if (trial % 100 === 99) {
      await Promise.all(tiers.map((tier) => tier.flush()))
      await turns(8)
      await Promise.all(tiers.map((tier) => tier.flush()))
      counts.here += nearest.reduce((sum, near) => sum + near.size().sessions, 0)
      counts.there += held.size().sessions
    }
    for (const tier of tiers) if ((await load(tier, id)).state !== 'none') counts.served++
  }
  await close()

  report(`${mode}, ${trials} logouts while three nodes read the session through: alive afterwards`, counts)
  expect(counts).toMatchObject({ here: 0, there: 0, served: 0 })
  expect(counts.found).toBeGreaterThan(trials)
}

/** The same numbers every time (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
