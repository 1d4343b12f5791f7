import { expect, test } from 'vitest'
import type { LoadAnswer, Stamp } from '../../src/replica/events.js'
import { restore, takeSnapshot } from '../../src/simulator/snapshot.js'
import type { IdHash } from '../../src/session/session.js'
import { Mesh, text } from '../replica/mesh.js'

/**
 * What every member has needs no place in a stamp. A node that comes back with what it held yesterday, and
 * reaches nobody, is no longer the member that had it: all that the stamp tells it by then is the highest time seen.
 */
test('a browser is told that what a node restored from a snapshot shows is old', () => {
  const mesh = new Mesh(3)
  mesh.connectAll()
  mesh.heal(12)
  const { birth, id } = mesh.create(0, [text('cart', 'empty')])
  mesh.heal(12)
  const snapshot = takeSnapshot(mesh.node(2).replica)
  mesh.commit(0, { type: 'write', birth, writes: [text('cart', 'full')] })
  mesh.heal(12)
  const seen = load(mesh, 0, id)
  expect(seen).toMatchObject({ state: 'found', stale: false, stamp: { dots: [] } })

  mesh.crash(2)
  mesh.restart(2)
  restore(mesh.node(2).replica, snapshot)
  for (let i = 0; i < 35; i++) mesh.tick()
  expect(mesh.node(2).replica.roster.isReady).toBe(true)

  const stamp = seen?.state === 'found' ? seen.stamp : undefined
  expect(load(mesh, 2, id, stamp)).toMatchObject({ state: 'found', stale: true })
})

let requests = 1_000_000

function load(mesh: Mesh, at: number, id: IdHash, stamp?: Stamp): LoadAnswer | undefined {
  const request = ++requests
  mesh.input(mesh.node(at), { type: 'load', request, id, origin: null, deadline: mesh.now + 1_000, stamp })
  mesh.drain()
  const answer = mesh.answerTo(request)
  return answer?.type === 'loaded' ? answer.answer : undefined
}
