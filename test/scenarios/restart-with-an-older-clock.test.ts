import { expect, test } from 'vitest'
import { Mesh, text } from '../replica/mesh.js'

/**
 * Found by the simulator (I16 IdleExpires). A process that restarts while its clock is behind seems to have started
 * before the one that it replaces. Its peers went on waiting for the dead one: nothing was stable, nothing expired.
 */
test('a restart counts, although its clock says that it came first', () => {
  const mesh = new Mesh(3)
  mesh.connectAll()
  mesh.heal(12)
  const { birth } = mesh.create(0, [text('a', '1')], 5_000)
  mesh.heal(5)
  mesh.crash(2)
  const { now } = mesh
  mesh.now = now - 3_600_000
  mesh.restart(2)
  mesh.now = now
  mesh.connectAll()

  mesh.heal(200)

  expect(mesh.node(0).replica.roster.reachesAll(mesh.now)).toBe(true)
  for (const node of mesh.nodes) expect(node.replica.state.isDead(birth)).toBe(true)
})
