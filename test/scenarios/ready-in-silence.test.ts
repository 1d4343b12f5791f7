import { expect, test } from 'vitest'
import type { IdHash } from '../../src/session/session.js'
import { Mesh, text } from '../replica/mesh.js'

/**
 * Found by the simulator (monotonic reads, seed 104376). A node died without a word, started again, heard nobody for
 * three seconds and was ready alone. Then the first peer reached it and sent its own events: a session that this peer had
 * made was complete, and lacked what a third node had written to it long ago. The stamp of the browser did not list that
 * any more, because all members, the earlier start of this very node among them, had it.
 */
test('a node that started in silence asks the peers it meets before it shows what came in pieces', () => {
  const { mesh, id } = metByOne()
  expect(mesh.node(2).replica.state.byId(id)?.isComplete).toBe(true)

  expect(mesh.load(2, id)).toBeUndefined()

  mesh.drain()
  expect(mesh.answerTo(mesh.lastRequest)).toMatchObject({ answer: { state: 'found', stale: false } })
  expect(shown(mesh, id)).toEqual(['theme', 'user'])
})

test('it stays ready meanwhile, and asks no more once it has what the peer had', () => {
  const { mesh, id } = metByOne()
  expect(mesh.node(2).replica.roster).toMatchObject({ isReady: true, isCaughtUp: false })

  mesh.drain()

  expect(mesh.node(2).replica.roster.isCaughtUp).toBe(true)
  expect(mesh.load(2, id)).toMatchObject({ answer: { state: 'found', stale: false } })
})

test('what it shows while the peer is lost again is marked as perhaps older', () => {
  const { mesh, id } = metByOne()

  mesh.cut(0, 2)

  expect(mesh.load(2, id)).toMatchObject({ answer: { state: 'found', stale: true } })
})

test('it has not caught up with a peer that has not said what it has', () => {
  const { mesh, id } = restarted()
  const made = mesh.node(0).replica.state.byId(id)?.fragment()
  if (made === undefined) throw new Error('the session is gone')
  mesh.input(mesh.node(2), { type: 'import', request: 1, fragment: made })
  expect(mesh.load(2, id)).toMatchObject({ answer: { state: 'found' } })

  mesh.connect(0, 2)

  expect(mesh.load(2, id)).toBeUndefined()
})

/** Node 0 has made a session and node 1 has written to it; node 2 had both, died, and came back while nobody heard it. */
function restarted(): { mesh: Mesh; id: IdHash } {
  const mesh = new Mesh(3)
  mesh.connectAll()
  mesh.heal()
  const { birth, id } = mesh.create(0, [text('user', 'ada')])
  mesh.flush(0)
  mesh.drain()
  mesh.commit(1, { type: 'write', birth, writes: [text('theme', 'dark')] })
  mesh.flush(1)
  mesh.drain()
  mesh.crash(2)
  mesh.restart(2)
  for (let i = 0; i < 35; i++) mesh.tick()
  expect(mesh.node(2).replica.roster.isReady).toBe(true)
  return { mesh, id }
}

/** Node 0 alone reaches it again, and what it sent of its own log has arrived: nothing else. */
function metByOne(): { mesh: Mesh; id: IdHash } {
  const { mesh, id } = restarted()
  mesh.connect(0, 2)
  mesh.drain(({ message }) => message.type === 'sync-part')
  return { mesh, id }
}

function shown(mesh: Mesh, id: IdHash): readonly string[] {
  const registers = mesh.node(2).replica.state.byId(id)?.registers ?? []
  return registers.map(({ name }) => name).sort()
}
