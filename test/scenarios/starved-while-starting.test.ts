import { expect, test } from 'vitest'
import { Mesh, text } from '../replica/mesh.js'

/**
 * Seen beside a load of 24 on two cores: a process that gets no CPU while it starts found `bootstrapTimeout` over before
 * it had read what its peers had sent, and took itself for alone.
 */
test.each([
  ['in one piece before its first tick', [5_000]],
  ['in pieces', [450, 450, 450, 450, 450, 450, 450, 450]],
  ['so that its clock is in doubt', [30_000]],
])('a node that has no CPU while it starts, %s, does not take itself for alone', (_how, stalls) => {
  const mesh = restarted()

  for (const ms of stalls) stall(mesh, ms)

  expect(mesh.node(2).replica.roster.isReady).toBe(false)
  mesh.connectAll()
  mesh.heal(4)
  expect(mesh.node(2).replica.roster).toMatchObject({ isReady: true, isCaughtUp: true })
  expect(mesh.node(2).replica.state.live.size).toBe(1)
})

test('what it reads first after that does not make it ready either', () => {
  const mesh = restarted()
  mesh.connect(0, 2)
  mesh.now += 5_000

  mesh.cut(0, 2)

  expect(mesh.node(2).replica.roster.isReady).toBe(false)
})

test('what a peer had that was lost again counts for as long as the node lives, not for as long as it stands still', () => {
  const mesh = restarted()
  mesh.connect(0, 2)
  mesh.connect(1, 2)
  mesh.drain(({ message, from }) => message.type === 'sync-part' || (message.type === 'delta' && from.index === 0))
  mesh.cut(0, 2)

  for (let i = 0; i < 10; i++) stall(mesh, 450)

  expect(mesh.node(2).replica.roster.isReady).toBe(false)
})

test('a node that is alone, and has its time, is ready when the time is over', () => {
  const mesh = restarted()
  for (let i = 0; i < 29; i++) mesh.tick()
  expect(mesh.node(2).replica.roster.isReady).toBe(false)

  for (let i = 0; i < 3; i++) mesh.tick()

  expect(mesh.node(2).replica.roster.isReady).toBe(true)
})

/** Nodes 0 and 1 hold a session; node 2 has just started and reaches nobody yet. */
function restarted(): Mesh {
  const mesh = new Mesh(3)
  mesh.connectAll()
  mesh.heal()
  mesh.create(0, [text('user', 'ada')])
  mesh.flush(0)
  mesh.drain()
  mesh.crash(2)
  mesh.restart(2)
  return mesh
}

/** Its tick comes so late; what went before its first tick nobody has measured. */
function stall(mesh: Mesh, ms: number, lagMs = 0): void {
  mesh.now += ms
  mesh.input(mesh.node(2), { type: 'tick', lagMs })
}
