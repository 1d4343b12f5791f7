import { expect, test } from 'vitest'
import { Mesh, originOf } from '../replica/mesh.js'

/** A browser logged in on a node that then crashed. One other node had heard of it; the next request goes to a third. */
test('an id is asked of every peer: the only one that knows it may be any of them', () => {
  const mesh = new Mesh(4)
  mesh.connectAll()
  mesh.heal(12)
  mesh.cut(0, 1)
  mesh.cut(0, 2)
  const { birth, id } = mesh.create(0)
  mesh.flush(0)
  mesh.drain()
  mesh.crash(0)
  mesh.restart(0)
  mesh.connect(0, 1)
  mesh.drain()

  mesh.load(1, id, originOf(birth))
  mesh.drain()

  expect(mesh.answerTo(mesh.lastRequest)).toMatchObject({ answer: { state: 'found', birth } })
})
