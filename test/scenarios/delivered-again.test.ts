import { expect, test } from 'vitest'
import { Mesh, text } from '../replica/mesh.js'

/** A node that leaves sends its last event once more, to have it confirmed. */
test('an event that arrives again is confirmed, and nothing is asked for', () => {
  const mesh = new Mesh(2)
  mesh.connectAll()
  mesh.heal(12)
  mesh.create(0, [text('a', '1')])
  mesh.flush(0)
  mesh.drain()
  const rounds = mesh.node(1).replica.sync.completed

  mesh.input(mesh.node(0), { type: 'drain', deadline: mesh.now + 1_000 })
  mesh.drain()

  expect(mesh.outputs).toContainEqual({ node: 0, output: { type: 'drained' } })
  expect(mesh.node(1).replica.sync.completed).toBe(rounds)
})
