import { expect, test } from 'vitest'
import { Mesh, originOf, text } from '../replica/mesh.js'

/** A node has heard of the new id that a login gave to a session, and not yet of its creation elsewhere. */
test('a session of which only a later event has arrived is asked for, not served', () => {
  const mesh = new Mesh(3)
  mesh.connectAll()
  mesh.heal(12)
  mesh.cut(0, 2)
  const { birth } = mesh.create(0, [text('cart', 'full')])
  mesh.flush(0)
  mesh.drain()
  const [id, added] = [mesh.newId(), mesh.node(1).replica.nextDot]
  mesh.commit(1, { type: 'rotate', birth, id, writes: [text('user', 'ada')] })
  mesh.flush(1)
  mesh.drain()

  const atOnce = mesh.load(2, id, originOf(added))
  mesh.drain()

  expect(atOnce).toBeUndefined()
  expect(mesh.answerTo(mesh.lastRequest)).toMatchObject({ answer: { state: 'found', birth } })
  const served = mesh.node(2).replica.state.live.get(birth)
  expect(served?.registers.map(({ name }) => name)).toEqual(['cart', 'user'])
})
