import { expect, test } from 'vitest'
import { Mesh } from '../replica/mesh.js'

const IDLE_MS = 60_000

/**
 * Accesses are announced in batches every few seconds. One of a session that is more than half idle does not wait: a
 * node that dies right after it would take the news along, and its browser would be logged out.
 */
test('the first access after a long time is known to others although its node dies right after it', () => {
  const mesh = new Mesh(3)
  mesh.connectAll()
  mesh.heal(12)
  const { birth } = mesh.create(0, [], IDLE_MS)
  mesh.flush(0)
  mesh.drain()
  pass(mesh, IDLE_MS - 10_000)
  const at = mesh.now
  mesh.input(mesh.node(0), { type: 'touch', birth, at })

  mesh.flush(0)
  mesh.drain()
  mesh.crash(0)

  for (const node of [1, 2]) expect(mesh.node(node).replica.state.live.get(birth)?.touchedAt).toBe(at)
  pass(mesh, IDLE_MS - 10_000)
  expect(mesh.node(1).replica.state.live.has(birth)).toBe(true)
})

function pass(mesh: Mesh, ms: number): void {
  for (let passed = 0; passed < ms; passed += 500) {
    mesh.tick(500)
    mesh.drain()
  }
}
