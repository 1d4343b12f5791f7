import { expect, test } from 'vitest'
import { Mesh, text } from '../replica/mesh.js'

/**
 * Found by the simulator (I15 ActiveNotExpired). A node that was cut off when its clock was set ahead by hours forgot
 * all members at once, took itself for the whole cluster, and ended every session without asking anybody.
 */
test('a node that is cut off does not forget the others because its clock was set', () => {
  const mesh = new Mesh(3)
  mesh.connectAll()
  mesh.heal(12)
  const { birth } = mesh.create(0, [text('a', '1')], 60_000)
  mesh.heal(5)
  mesh.cut(0, 2)
  mesh.cut(1, 2)
  mesh.now += 24 * 3_600_000

  for (let i = 0; i < 100; i++) mesh.input(mesh.node(2), { type: 'tick', lagMs: 0 })

  expect(mesh.node(2).replica.roster.others()).toHaveLength(2)
  expect(mesh.node(2).replica.state.live.has(birth)).toBe(true)
})
