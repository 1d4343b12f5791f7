import { expect, it, vi } from 'vitest'
import type { Answer, Committed, PortableSession } from '../../../src/backend/backend.js'
import { deferred } from '../../../src/deferred.js'
import { Clock, delta, LIVES, memory, Remote, tiered } from './support.js'

class Slow extends Remote {
  readonly #gate: Promise<void>

  constructor(inner: ReturnType<typeof memory>, gate: Promise<void>) {
    super(inner)
    this.#gate = gate
  }

  override async importOne(session: PortableSession): Promise<'imported' | 'known' | 'dead'> {
    await this.#gate
    return await super.importOne(session)
  }
}

it('a far backend that cannot keep up holds up who writes, an interval at most, until it can', async () => {
  const clock = new Clock()
  const gate = deferred<void>()
  const node = tiered(memory(clock.now), new Slow(memory(clock.now), gate.promise), clock, { flushIntervalMs: 100 })
  await node.open()
  await node.ready()
  const { ref } = await node.create(delta({ n: 0 }), LIVES)
  const save = (n: number): Answer<Committed> => node.save(ref, delta({ n }), {})
  expect(save(1)).toEqual({ outcome: 'done' })

  const held = await vi.waitFor(() => {
    const answer = save(2)
    expect(answer).toBeInstanceOf(Promise)
    return { answer, at: performance.now() }
  })
  expect(await held.answer).toEqual({ outcome: 'done' })
  // The far backend still hangs.
  expect(performance.now() - held.at).toBeGreaterThan(50)
  expect(node.counters()['session_mesh_far_held_up_total']).toBeGreaterThan(0)
  expect(node.counters()['session_mesh_far_lag_ms']).toBeGreaterThan(100)

  gate.resolve()
  await vi.waitFor(() => expect(save(3)).toEqual({ outcome: 'done' }))
  await vi.waitFor(() => expect(node.counters()['session_mesh_far_lag_ms']).toBe(0))
  await node.close()
})
