import { expect, test } from 'vitest'
import { Mesh } from '../replica/mesh.js'

/**
 * Found by the simulator (active sessions do not expire, seed 7410). A node whose clock had jumped heard two peers, one
 * of which had jumped too. No two clocks agreed; it took that for a confirmation of its own, and dated sessions by it.
 */
const MINUTE_MS = 60_000

test('a node whose clock jumped stays in doubt while its peers contradict one another', () => {
  const { mesh, input } = jumped()

  hear(mesh, 1, mesh.now)
  hear(mesh, 2, mesh.now + MINUTE_MS)

  expect(mesh.node(0).replica.handle(input, mesh.now - MINUTE_MS)).toEqual([refused])
})

test('it is trusted again when one of them shows its time: two clocks of three', () => {
  const { mesh, input } = jumped()

  hear(mesh, 1, mesh.now - MINUTE_MS)
  hear(mesh, 2, mesh.now + MINUTE_MS)

  expect(mesh.node(0).replica.handle(input, mesh.now - MINUTE_MS)).toContainEqual({ ...refused, outcome: 'done', stamp: expect.anything() })
})

const refused = { type: 'committed', request: 1, outcome: 'refused' } as const

/** Three nodes; the clock of the first has just been set back by a minute. */
function jumped() {
  const mesh = new Mesh(3)
  mesh.connectAll()
  mesh.heal(12)
  mesh.node(0).replica.handle({ type: 'tick', lagMs: 0 }, mesh.now - MINUTE_MS)
  const base = { createdAt: mesh.now, maxIdleMs: 600_000, maxLifeMs: 600_000 }
  const commit = { type: 'create', id: mesh.newId(), base, writes: [] } as const
  const input = { type: 'commit', request: 1, commit, concern: 'async', deadline: mesh.now } as const
  return { mesh, input }
}

/** The first node hears from a peer that it is `wallMs` there, and thinks about it. */
function hear(mesh: Mesh, from: number, wallMs: number): void {
  const { replica } = mesh.node(0)
  const link = replica.roster.peerOf(mesh.node(from).actor)?.link
  if (link === undefined) throw new Error('not linked')
  const { context } = mesh.node(from).replica.state
  const message = { type: 'digest', context: context.entries(), ready: true, hears: [], lagMs: 0, wallMs } as const
  replica.handle({ type: 'message', link, message }, mesh.now - MINUTE_MS)
  replica.handle({ type: 'tick', lagMs: 0 }, mesh.now - MINUTE_MS)
}
