import { describe, expect, test } from 'vitest'
import type { Concern, Output } from '../../src/replica/events.js'
import { Mesh, text } from '../replica/mesh.js'

/**
 * Found by the simulator (read-your-writes). A node that starts while it can reach nobody becomes ready alone after
 * `bootstrapTimeoutMs`. It has met no member, and took that for being the whole cluster.
 */
describe('a node that started without reaching any of its configured peers', () => {
  test('lets browsers carry what they wrote there', () => {
    const mesh = alone()

    const answer = create(mesh, 'async')

    expect(answer).toMatchObject({ outcome: 'done', stamp: { dots: [{ counter: 1 }] } })
  })

  test('confirms no majority', () => {
    const mesh = alone()

    expect(create(mesh, 'quorum')).toBeUndefined()
  })

  test('expires nothing', () => {
    const mesh = alone()
    const { birth } = mesh.create(0, [text('user', 'ada')], 1_000)

    for (let i = 0; i < 200; i++) mesh.tick()

    expect(mesh.node(0).replica.state.live.has(birth)).toBe(true)
  })

  test('is the whole cluster once the others have been away for long', () => {
    const mesh = alone(10_000)
    const { birth } = mesh.create(0, [], 1_000)

    for (let i = 0; i < 200; i++) mesh.tick()

    expect(mesh.node(0).replica.state.isDead(birth)).toBe(true)
  })
})

function alone(forgetAfterMs = 3_600_000): Mesh {
  const mesh = new Mesh(3, { forgetAfterMs })
  for (let i = 0; i < 35; i++) mesh.tick()
  expect(mesh.node(0).replica.roster.isReady).toBe(true)
  return mesh
}

function create(mesh: Mesh, concern: Concern): Output | undefined {
  const base = { createdAt: mesh.now, maxIdleMs: 60_000, maxLifeMs: Infinity }
  const commit = { type: 'create', id: mesh.newId(), base, writes: [text('a', '1')] } as const
  const outputs = mesh.input(mesh.node(0), {
    type: 'commit',
    request: 1,
    commit,
    concern,
    deadline: mesh.now + 250,
  })
  return outputs.find((output) => output.type === 'committed')
}
