import { describe, expect, test } from 'vitest'
import { canonical, Mesh, originOf, text } from '../replica/mesh.js'

const HOUR_MS = 3_600_000

/** Found by the simulator (convergence): what began while a clock was an hour ahead waited for an hour when it was mended. */
describe('when a clock that was an hour ahead is set back', () => {
  test('lost events are still repaired at once', () => {
    const mesh = three()
    mesh.now += HOUR_MS
    mesh.create(0, [text('a', '1')])
    loseEverything(mesh)
    mesh.now -= HOUR_MS

    mesh.heal(40)

    expect(canonical(mesh.node(1).replica)).toEqual(canonical(mesh.node(0).replica))
  })

  test('a commit that waits for confirmations is answered', () => {
    const mesh = three()
    mesh.now += HOUR_MS
    mesh.heal(12)
    const base = { createdAt: mesh.now, maxIdleMs: Infinity, maxLifeMs: Infinity }
    const commit = { type: 'create', id: mesh.newId(), base, writes: [] } as const
    mesh.input(mesh.node(0), { type: 'commit', request: 99, commit, concern: 'all', deadline: mesh.now + 250 })
    mesh.now -= HOUR_MS

    mesh.tick()

    expect(mesh.outputs.some(({ output }) => output.type === 'committed' && output.request === 99)).toBe(true)
  })

  test('a session that was to be looked at again in that hour still expires', () => {
    const mesh = three()
    const { birth } = mesh.create(0, [text('a', '1')], 60_000)
    mesh.heal(12)
    mesh.cut(0, 1)
    mesh.now += HOUR_MS
    for (let i = 0; i < 5; i++) mesh.tick()
    mesh.now -= HOUR_MS
    mesh.connect(0, 1)

    mesh.heal(12)
    mesh.heal(900)

    for (const node of mesh.nodes) expect(node.replica.state.isDead(birth)).toBe(true)
  })

  test('a session that was used in that hour lives no longer than from now on', () => {
    const mesh = three()
    const { birth } = mesh.create(0, [text('a', '1')], 10 * HOUR_MS)
    mesh.heal(12)
    mesh.now += HOUR_MS
    mesh.tick()
    mesh.commit(0, { type: 'write', birth, writes: [text('b', '2')] })
    mesh.now -= HOUR_MS

    mesh.heal(12)

    expect(mesh.node(0).replica.state.live.get(birth)?.touchedAt).toBeLessThanOrEqual(mesh.now)
  })

  test('a look-up that waits for peers is answered', () => {
    const mesh = three()
    mesh.now += HOUR_MS
    mesh.heal(12)
    const { id, birth } = mesh.create(0)
    mesh.load(1, id, originOf(birth))
    const request = mesh.lastRequest
    mesh.wires.splice(0)
    mesh.now -= HOUR_MS

    mesh.tick()

    expect(mesh.answerTo(request)).toBeDefined()
  })
})

function three(): Mesh {
  const mesh = new Mesh(3)
  mesh.connectAll()
  mesh.heal(12)
  return mesh
}

/** A second in which a round begins and nothing arrives. */
function loseEverything(mesh: Mesh): void {
  for (let i = 0; i < 20; i++) {
    mesh.tick()
    const digest = mesh.wires.findIndex((wire) => wire.message.type === 'digest')
    if (digest >= 0) mesh.deliver(digest)
    mesh.wires.splice(0, mesh.wires.length, ...mesh.wires.filter((wire) => wire.message.type === 'digest'))
  }
  mesh.wires.splice(0)
}

describe('when a clock that was an hour behind is mended', () => {
  test('a session made by others in that hour is not taken for idle', () => {
    const mesh = three()
    const now = mesh.now
    const behind = mesh.node(0)
    mesh.now = now - HOUR_MS
    mesh.input(behind, { type: 'tick', lagMs: 0 })
    mesh.now = now
    const { id, birth } = mesh.create(1, [text('a', '1')], 60_000)
    mesh.flush(1)
    const at = mesh.wires.findIndex((wire) => wire.to === behind)
    mesh.now = now - HOUR_MS
    mesh.deliver(at)
    mesh.now = now

    mesh.heal(15)

    expect(mesh.load(0, id, originOf(birth))).toMatchObject({ answer: { state: 'found' } })
  })

  test('a session used before is not taken for idle', () => {
    const mesh = three()
    const { id, birth } = mesh.create(1, [text('a', '1')], 60_000)
    mesh.heal(12)
    const { now } = mesh
    for (let i = 0; i < 100; i++) {
      mesh.now = now - HOUR_MS
      mesh.input(mesh.node(0), { type: 'tick', lagMs: 0 })
    }
    mesh.now = now

    mesh.heal(15)

    expect(mesh.load(0, id, originOf(birth))).toMatchObject({ answer: { state: 'found' } })
  })

  test('an access that a peer told it wrongly in that hour counts as now', () => {
    const mesh = three()
    const { birth } = mesh.create(1, [text('a', '1')], 10 * HOUR_MS)
    mesh.heal(12)
    const now = mesh.now
    mesh.now = now - HOUR_MS
    mesh.input(mesh.node(0), { type: 'tick', lagMs: 0 })
    mesh.now = now + HOUR_MS
    mesh.commit(1, { type: 'write', birth, writes: [text('b', '2')] })
    mesh.flush(1)
    const at = mesh.wires.findIndex((wire) => wire.to === mesh.node(0) && wire.message.type === 'delta')
    mesh.now = now - HOUR_MS
    mesh.deliver(at)
    mesh.now = now

    mesh.heal(15)

    expect(mesh.node(0).replica.state.live.get(birth)?.touchedAt).toBeLessThanOrEqual(mesh.now)
  })

  test('an access that it noted while it was alone counts as now as soon as it has peers', () => {
    const mesh = three()
    const { birth } = mesh.create(0, [text('a', '1')], 10 * HOUR_MS)
    mesh.heal(12)
    mesh.cut(0, 1)
    mesh.cut(0, 2)
    mesh.now += HOUR_MS
    mesh.tick()
    mesh.commit(0, { type: 'write', birth, writes: [text('b', '2')] })
    mesh.now -= HOUR_MS
    mesh.tick()

    mesh.heal(15)

    expect(mesh.node(0).replica.state.live.get(birth)?.touchedAt).toBeLessThanOrEqual(mesh.now)
  })
})
