import { expect, test } from 'vitest'
import { Mesh } from '../replica/mesh.js'

/** Whoever is asked about a session may know that it is dead, and no longer by which event: the floor proves it. */
test('a death that a look-up learns of can be proved to others from then on', () => {
  const mesh = new Mesh(3, { killsKeptMs: 0 })
  mesh.connectAll()
  mesh.heal(12)
  const { birth, id } = mesh.create(0)
  mesh.heal(2)
  mesh.cut(0, 2)
  mesh.cut(1, 2)
  const killed = mesh.node(0).replica.nextDot
  mesh.commit(0, { type: 'kill', birth, reason: 'destroyed' })
  mesh.flush(0)
  for (let i = 0; i < 60; i++) {
    mesh.tick()
    mesh.drain()
  }
  expect(mesh.node(1).replica.state.kills.has(birth)).toBe(false)

  mesh.connect(1, 2)
  // The browser has seen more than this node has, so it asks.
  const stamp = { highest: Number.MAX_SAFE_INTEGER, touchedAt: 0, dots: [] }
  mesh.input(mesh.node(2), { type: 'load', request: 0, id, origin: null, deadline: mesh.now + 1_000, stamp })
  mesh.drain()

  const { state } = mesh.node(2).replica
  expect(mesh.answerTo(0)).toMatchObject({ answer: { state: 'none', why: 'gone' } })
  expect(state.isDead(birth)).toBe(true)
  expect(state.floor.get(killed.actor)).toBe(killed.counter)
})
