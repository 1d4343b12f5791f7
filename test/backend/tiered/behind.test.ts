import { expect, it, vi } from 'vitest'
import type { PortableSession } from '../../../src/backend/backend.js'
import { deferred } from '../../../src/deferred.js'
import { Clock, delta, LIVES, memory, Remote, tiered, turns } from './support.js'

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

it('a far backend that cannot keep up holds up who writes, until it can', async () => {
  const clock = new Clock()
  const gate = deferred<void>()
  const node = tiered(memory(clock.now), new Slow(memory(clock.now), gate.promise), clock, { flushIntervalMs: 20 })
  await node.open()
  await node.ready()
  const counters = (): Readonly<Record<string, number>> => node.counters()

  expect(await node.create(delta({ n: 1 }), LIVES)).toMatchObject({ outcome: 'done' })
  expect(counters()['session_mesh_far_held_up_total']).toBe(0)
  await vi.waitFor(() => expect(counters()['session_mesh_far_lag_ms']).toBeGreaterThan(40))
  const later = Promise.resolve(node.create(delta({ n: 2 }), LIVES))
  const answered = vi.fn()
  void later.then(answered)
  await turns(50)
  expect(answered).not.toHaveBeenCalled()

  gate.resolve()
  expect(await later).toMatchObject({ outcome: 'done' })
  expect(counters()['session_mesh_far_held_up_total']).toBe(1)
  await vi.waitFor(() => expect(counters()['session_mesh_far_lag_ms']).toBe(0))
  const { ref } = await node.create(delta({ n: 3 }), LIVES)
  await vi.waitFor(() => expect(node.save(ref, delta({ n: 4 }), {})).toEqual({ outcome: 'done' }))
  await node.close()
})
