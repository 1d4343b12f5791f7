import { expect, test } from 'vitest'
import type { Dot } from '../../src/session/session.js'
import { Mesh } from '../replica/mesh.js'

/**
 * Found by the simulator (I7). A kill record without the kill's own dot says only "I learned that it is dead"; what
 * proves it to others is the floor, which comes with the end of a round. Taken from a round whose end was lost, the
 * record is all there is, and once it is forgotten a third node can keep the session for good.
 */
test('a death learned from half a round is not believed before it can be proved to others', () => {
  const mesh = new Mesh(4, { killsKeptMs: 0 })
  mesh.connectAll()
  mesh.heal(12)
  const { birth } = mesh.create(0)
  mesh.flush(0)
  mesh.drain()
  for (const [a, b] of [
    [0, 2],
    [1, 2],
    [0, 3],
    [1, 3],
    [2, 3],
  ] as const)
    mesh.cut(a, b)
  const killed = mesh.node(0).replica.nextDot
  mesh.commit(0, { type: 'kill', birth, reason: 'destroyed' })
  mesh.flush(0)
  run(mesh, 6_000)
  expect(mesh.node(1).replica.state.kills.has(birth)).toBe(false)

  mesh.cut(0, 1)
  mesh.connect(1, 2)
  run(mesh, 1_000)
  expect(mesh.node(2).replica.state.isDead(birth)).toBe(true)
  mesh.cut(1, 2)
  mesh.connect(2, 3)
  run(mesh, 1_000, true)
  mesh.cut(2, 3)
  run(mesh, 6_000)

  expect(isProvable(mesh, 3, birth, killed)).toBe(true)
})

/** Lets time pass and delivers everything, except ends of rounds if they are to be lost. */
function run(mesh: Mesh, ms: number, losesEnds = false): void {
  for (let passed = 0; passed < ms; passed += 100) {
    mesh.tick()
    while (mesh.wires.length > 0) {
      if (losesEnds && mesh.wires[0]?.message.type === 'sync-end') mesh.lose(0)
      else mesh.deliver(0)
    }
  }
}

/** Dead with proof, or still alive: anything but dead without proof. */
function isProvable(mesh: Mesh, index: number, birth: Dot, killed: Dot): boolean {
  const { state } = mesh.node(index).replica
  return !state.isDead(birth) || state.kills.has(birth) || (state.floor.get(killed.actor) ?? 0) >= killed.counter
}
