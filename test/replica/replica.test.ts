import { describe, expect, test } from 'vitest'
import { canonical, Mesh, originOf, text } from './mesh.js'

function three(): Mesh {
  const mesh = new Mesh(3)
  mesh.connectAll()
  mesh.heal(12)
  return mesh
}

describe('a mesh of three replicas', () => {
  test('empty nodes that start together are ready at once', () => {
    const mesh = new Mesh(3)
    mesh.connectAll()

    mesh.drain()

    expect(mesh.nodes.every((node) => node.replica.roster.isReady)).toBe(true)
  })

  test('a session created on one node is found on the others', () => {
    const mesh = three()
    const { id, birth } = mesh.create(0, [text('user', 'ada')])

    mesh.flush(0)
    mesh.drain()

    expect(mesh.load(1, id, originOf(birth))).toMatchObject({ answer: { state: 'found', birth } })
    expect(mesh.load(2, id, originOf(birth))).toMatchObject({ answer: { state: 'found', birth } })
    expect(canonical(mesh.node(1).replica)).toEqual(canonical(mesh.node(0).replica))
  })

  test('a login that does not arrive is pulled, not refused', () => {
    const mesh = three()
    const { id, birth } = mesh.create(0)

    mesh.load(1, id, originOf(birth))
    const request = mesh.lastRequest
    expect(mesh.answerTo(request)).toBeUndefined()
    mesh.tick()
    mesh.drain()

    expect(mesh.answerTo(request)).toMatchObject({ answer: { state: 'found', birth } })
  })

  test('a rotated id is refused everywhere, the new one is found', () => {
    const mesh = three()
    const { id, birth } = mesh.create(0)
    mesh.flush(0)
    mesh.drain()
    const dot = mesh.node(1).replica.nextDot
    const fresh = mesh.newId()

    mesh.commit(1, { type: 'rotate', birth, id: fresh, writes: [] })
    mesh.flush(1)
    mesh.drain()

    for (const node of [0, 1, 2]) {
      expect(mesh.load(node, id, originOf(birth))).toMatchObject({ answer: { state: 'none', why: 'rotated' } })
      expect(mesh.load(node, fresh, originOf(dot))).toMatchObject({ answer: { state: 'found', birth } })
    }
  })

  test('a joining node becomes ready only when it has everything', () => {
    const mesh = three()
    for (let i = 0; i < 2_000; i++) mesh.create(0, [text('n', String(i))])
    mesh.flush(0)
    mesh.drain()
    mesh.crash(2)
    mesh.restart(2)
    mesh.connectAll()
    while (!mesh.node(2).replica.roster.isReady) {
      expect(mesh.wires.length).toBeGreaterThan(0)
      mesh.deliver(0)
    }

    expect(mesh.node(2).replica.state.live.size).toBe(2_000)
  })

  test('a deleted session stays deleted on a node that was cut off and kept writing to it', () => {
    const mesh = three()
    const { birth } = mesh.create(0)
    mesh.flush(0)
    mesh.drain()
    mesh.cut(0, 2)
    mesh.cut(1, 2)
    mesh.commit(0, { type: 'kill', birth, reason: 'destroyed' })
    mesh.commit(2, { type: 'write', birth, writes: [text('late', 'x')] })

    mesh.heal()

    for (const node of mesh.nodes) expect(node.replica.state.isDead(birth)).toBe(true)
  })

  test('an access after a session ended does not bring it back, one before it does count', () => {
    const mesh = new Mesh(1)
    mesh.tick()
    const { birth, id } = mesh.create(0, [], 1_000)
    const { replica } = mesh.node(0)
    const from = mesh.now

    mesh.now = from + 1_050
    replica.handle({ type: 'touch', birth, at: from + 900 }, mesh.now)
    expect(mesh.load(0, id, originOf(birth))).toMatchObject({ answer: { state: 'found' } })
    mesh.now = from + 1_950
    replica.handle({ type: 'touch', birth, at: mesh.now }, mesh.now)

    expect(mesh.load(0, id, originOf(birth))).toMatchObject({ answer: { state: 'none' } })
  })
})
