import { expect, test } from 'vitest'
import { Mesh } from '../replica/mesh.js'

test('a node whose clock is set a day ahead while it is cut off neither forgets its peers nor ends their sessions', () => {
  const mesh = new Mesh(3)
  mesh.connectAll()
  mesh.heal(12)
  const { birth } = mesh.create(0, [], 600_000)
  mesh.flush(0)
  mesh.drain()
  mesh.cut(0, 2)
  mesh.cut(1, 2)
  const { replica } = mesh.node(2)

  const aDayAhead = mesh.now + 86_400_000
  for (let i = 0; i < 20; i++) replica.handle({ type: 'tick', lagMs: 0 }, aDayAhead + i * 100)

  expect(replica.roster.others()).toHaveLength(2)
  expect(replica.state.isDead(birth)).toBe(false)
})

test('a node whose clock was set writes nothing until a peer confirms the time', () => {
  const mesh = new Mesh(3)
  mesh.connectAll()
  mesh.heal(12)
  const { replica } = mesh.node(0)
  const base = { createdAt: mesh.now - 45_000, maxIdleMs: 600_000, maxLifeMs: 600_000 }
  const commit = { type: 'create', id: mesh.newId(), base, writes: [] } as const
  const input = { type: 'commit', request: 1, commit, concern: 'async', deadline: mesh.now } as const

  const outputs = replica.handle(input, mesh.now - 45_000)

  expect(outputs).toEqual([{ type: 'committed', request: 1, outcome: 'refused' }])
})
