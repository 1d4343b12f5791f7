import { describe, expect, test } from 'vitest'
import type { Dot } from '../../src/session/session.js'
import { Mesh, text, type Wire } from '../replica/mesh.js'

/**
 * An answer to a sync request takes a while, and a session can die meanwhile. The asking node has heard of a write
 * of that session and not yet of its creation: the context that ends the answer claims the creation, so the answer
 * must say what became of it. Chance hardly gets here: it takes a death, a part held up, and a forgotten record.
 */
const [maker, answering, asking, killer] = [0, 1, 2, 3] as const

describe('a session that dies while an answer that covers it is under way', () => {
  test('is reported, although its kill record may be forgotten by now', () => {
    const mesh = four()
    mesh.cut(maker, asking)
    mesh.cut(killer, asking)
    const birth = createMany(mesh)
    mesh.drain()
    mesh.commit(answering, { type: 'write', birth, writes: [text('a', '1')] })
    mesh.flush(answering)
    beginToAnswer(mesh)

    mesh.commit(killer, { type: 'kill', birth, reason: 'destroyed' })
    mesh.flush(killer)
    pass(mesh, 4_500, isReplyHeldUp)
    finishAnswer(mesh)

    expect(isReflected(mesh, birth)).toBe(true)
  })

  test('is reported, although the answering node itself knows of no kill', () => {
    const { mesh, birth } = inferred()

    finishAnswer(mesh)

    expect(isReflected(mesh, birth)).toBe(true)
  })

  test('is proved by the floor, as it is at the end of the answer', () => {
    const { mesh, birth, killed } = inferred()

    finishAnswer(mesh)

    const { state } = mesh.node(asking).replica
    expect(state.isDead(birth)).toBe(true)
    expect(state.floor.get(killed.actor)).toBeGreaterThanOrEqual(killed.counter)
  })
})

/** While it answers, the answering node learns of the death by absence: whoever knew more has forgotten. */
function inferred() {
  const mesh = four()
  for (const other of [maker, killer, answering]) mesh.cut(other, asking)
  const birth = createMany(mesh)
  mesh.drain()
  mesh.cut(maker, answering)
  mesh.cut(killer, answering)
  const killed = mesh.node(killer).replica.nextDot
  mesh.commit(killer, { type: 'kill', birth, reason: 'destroyed' })
  mesh.commit(answering, { type: 'write', birth, writes: [text('a', '1')] })
  pass(mesh, 6_000)
  expect(mesh.node(maker).replica.state.kills.has(birth)).toBe(false)

  mesh.connect(answering, asking)
  beginToAnswer(mesh)
  mesh.connect(maker, answering)
  pass(mesh, 2_000, isReplyHeldUp)
  expect(mesh.node(answering).replica.state.isDead(birth)).toBe(true)
  return { mesh, birth, killed }
}

/** Four nodes that agree. They forget kill records as soon as they may, and send one session in each part. */
function four(): Mesh {
  const mesh = new Mesh(4, { killsKeptMs: 0, partFragmentsMax: 1 })
  mesh.connectAll()
  mesh.heal(12)
  return mesh
}

/** More sessions than are sent ahead of their credit. Answers the birth of the last one. */
function createMany(mesh: Mesh): Dot {
  for (let i = 0; i < 6; i++) mesh.create(maker)
  const { birth } = mesh.create(maker)
  mesh.flush(maker)
  return birth
}

/** Until the first parts are on their way. */
function beginToAnswer(mesh: Mesh): void {
  while (!mesh.wires.some(({ message }) => message.type === 'sync-part')) {
    if (mesh.wires.length === 0) mesh.tick()
    else mesh.deliver(0)
  }
}

function finishAnswer(mesh: Mesh): void {
  const { sync } = mesh.node(asking).replica
  const before = sync.completed
  while (sync.completed === before) {
    expect(mesh.wires).not.toHaveLength(0)
    mesh.deliver(0)
  }
}

function pass(mesh: Mesh, ms: number, isHeldUp?: (wire: Wire) => boolean): void {
  for (let passed = 0; passed < ms; passed += 100) {
    mesh.tick()
    mesh.drain(isHeldUp)
  }
}

function isReplyHeldUp({ from, to }: Wire): boolean {
  return from.index === asking && to.index === answering
}

/** Whether a creation that the asking node claims to have is there, or over. */
function isReflected(mesh: Mesh, birth: Dot): boolean {
  const { state } = mesh.node(asking).replica
  expect(state.context.has(birth)).toBe(true)
  return state.isDead(birth) || state.live.get(birth)?.isComplete === true
}
