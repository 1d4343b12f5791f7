import { expect, test } from 'vitest'
import { Mesh, originOf } from '../replica/mesh.js'

test('an access right after a pause counts, although the clock is in doubt until the peers confirm it', () => {
  const mesh = new Mesh(3)
  mesh.connectAll()
  mesh.heal(12)
  const { birth, id } = mesh.create(0, [], 20_000)
  mesh.flush(0)
  mesh.drain()

  // The process slept for 12 s with a request in the middle of its work, which goes on now.
  mesh.now += 12_000
  const sleeper = mesh.node(0)
  mesh.input(sleeper, { type: 'touch', birth, at: mesh.now })
  expect(sleeper.replica.roster.isFenced).toBe(true)
  mesh.heal(4)
  expect(sleeper.replica.roster.isFenced).toBe(false)

  mesh.now += 9_000
  expect(mesh.load(0, id, originOf(birth))).toMatchObject({ answer: { state: 'found' } })
})
