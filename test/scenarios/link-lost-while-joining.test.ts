import { expect, test } from 'vitest'
import type { Message } from '../../src/replica/events.js'
import { Mesh, text, type Wire } from '../replica/mesh.js'

/**
 * Found by the simulator (monotonic reads, seed 10972). A node that joins waits until it has what every peer had when
 * they met. When the links went down on the way, it forgot what it had been waiting for; its start was three seconds
 * ago, so it called itself ready there and then, and showed sessions as they had been before its restart.
 */
test('a node that loses its links while it joins still waits for what it had been told of', () => {
  const mesh = joining()

  mesh.cut(0, 2)
  mesh.cut(1, 2)
  mesh.tick()

  expect(mesh.node(2).replica.roster.isReady).toBe(false)
})

test('it is ready as soon as another peer has brought it', () => {
  const mesh = joining()
  mesh.cut(0, 2)

  mesh.drain()
  mesh.tick()

  expect(mesh.node(2).replica.roster.isReady).toBe(true)
  expect([...mesh.node(2).replica.state.live.values()]).toHaveLength(1)
})

test('it is ready without, when it hears of nobody for as long as a node that starts waits', () => {
  const mesh = joining()
  mesh.cut(0, 2)
  mesh.cut(1, 2)

  for (let i = 0; i < 31; i++) mesh.tick()

  expect(mesh.node(2).replica.roster.isReady).toBe(true)
})

/** Three nodes, of which the third started more than three seconds ago and knows what the others have, not more. */
function joining(): Mesh {
  const mesh = new Mesh(3)
  mesh.connectAll()
  mesh.heal()
  mesh.crash(2)
  mesh.create(0, [text('user', 'ada')])
  mesh.flush(0)
  mesh.drain()
  mesh.restart(2)
  for (let i = 0; i < 35; i++) {
    mesh.connectAll()
    mesh.tick()
    mesh.drain(isAnswer)
  }
  expect(mesh.node(2).replica.roster.isReady).toBe(false)
  return mesh
}

/** Anything by which a session travels to a node that lacks it. */
function isAnswer({ message }: Wire): boolean {
  const types: readonly Message['type'][] = ['sync-part', 'delta']
  return types.includes(message.type)
}
