import { expect, test } from 'vitest'
import { Mesh, text } from '../replica/mesh.js'

/**
 * Found by the simulator (E1 ActiveNotDenied, seed 6026). The news of an earlier access on another node passed for an
 * announcement of the later access on this one, which then nobody heard of.
 */
test('an access is announced although news of an earlier one came in between', () => {
  const mesh = new Mesh(3)
  mesh.connectAll()
  mesh.heal(12)
  const { birth } = mesh.create(0, [text('a', '1')], 40_000)
  pass(mesh, 2_000)
  // The first one leaves at once, the second one waits for its batch.
  for (let access = 0; access < 2; access++) {
    mesh.input(mesh.node(1), { type: 'touch', birth, at: mesh.now })
    pass(mesh, 2_000)
  }
  const later = mesh.now
  mesh.input(mesh.node(0), { type: 'touch', birth, at: later })

  pass(mesh, 7_000)

  expect(mesh.node(2).replica.state.live.get(birth)?.touchedAt).toBe(later)
})

function pass(mesh: Mesh, ms: number): void {
  for (let passed = 0; passed < ms; passed += 100) {
    mesh.tick(100)
    mesh.drain()
  }
}
