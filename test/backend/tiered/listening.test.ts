import { expect, it } from 'vitest'
import type { SessionBackend } from '../../../src/backend/backend.js'
import { borrowed } from '../../../src/backend/tiered/borrowed.js'
import { Clock, delta, LIVES, memory, tiered } from './support.js'

/** How many listen to it. */
function overheard(inner: SessionBackend): { readonly backend: SessionBackend; readonly listeners: () => number } {
  let count = 0
  const subscribe: SessionBackend['subscribe'] = (listener) => {
    count++
    const stop = inner.subscribe(listener)
    return () => {
      count--
      stop()
    }
  }
  const backend = new Proxy(borrowed(inner), {
    get: (target, name): unknown => (name === 'subscribe' ? subscribe : Reflect.get(target, name)),
  })
  return { backend, listeners: () => count }
}

it.each(['write-behind', 'near-cache', 'both'] as const)('%s lets go of backends that live on after it', async (mode) => {
  const clock = new Clock()
  const near = memory(clock.now)
  const [left, right] = [overheard(near), overheard(memory(clock.now))]
  for (let time = 0; time < 3; time++) {
    const node = tiered(left.backend, right.backend, clock, { mode })
    await node.open()
    await node.ready()
    expect(left.listeners() + right.listeners()).toBeGreaterThan(0)

    await node.close()

    expect([left.listeners(), right.listeners()]).toEqual([0, 0])
    const { ref } = near.create(delta({}), LIVES)
    near.destroy(ref, 'logged-out')
    expect(node.waiting).toBe(0)
  }
})
