import { expect, test } from 'vitest'
import { Reserved } from '../../src/replica/events.js'
import type { Dot, IdHash } from '../../src/session/session.js'
import { Mesh, text } from '../replica/mesh.js'

/**
 * Two processes take over the same old session, under the id that it has there, while they do not hear of each other: each
 * makes a session of its own. One of them has to answer to the id in the end, and nobody may come back by the other.
 */
test('across a cut: all nodes keep the one with the smallest birth and what was written to it, the other ends', () => {
  const mesh = healthy()
  mesh.cut(0, 1)
  mesh.cut(0, 2)
  const { id, births } = twins(mesh)
  const [first = NOBODY, second = NOBODY] = births
  mesh.commit(0, { type: 'write', birth: first, writes: [text('theme', 'dark')] })
  mesh.commit(1, { type: 'write', birth: second, writes: [text('theme', 'light')] })
  for (const i of [0, 1]) mesh.flush(i)
  mesh.drain()
  expect([0, 1, 2].map((i) => mesh.node(i).replica.state.byId(id)?.birth)).toEqual([first, second, second])

  mesh.heal()

  expect(ends(mesh)).toMatchObject([{ dot: { actor: second.actor }, birth: second, reason: 'duplicate' }])
  for (const { replica } of mesh.nodes) {
    expect([...replica.state.live.values()].map(({ birth }) => birth)).toEqual([first])
    expect(replica.state.byId(id)?.register('theme')?.value).toEqual(new TextEncoder().encode('dark'))
  }
})

test.each([0, 1])('a logout of the one that node %s made, before it hears of the other, ends both', (out) => {
  const mesh = healthy()
  const { id, births } = twins(mesh)
  mesh.commit(out, { type: 'kill', birth: births[out] ?? NOBODY, reason: 'logged-out' })
  for (const i of [0, 1]) mesh.flush(i)
  mesh.drain()
  mesh.heal(4)

  for (const i of [0, 1, 2]) expect(mesh.load(i, id)).toMatchObject({ answer: { state: 'none', why: 'gone' } })
  expect(ends(mesh).map(({ reason }) => reason)).toEqual(['logged-out', 'logged-out'])
})

test('a logout that is heard of before the creation of what it ended ends the other when that creation comes', () => {
  const mesh = healthy()
  mesh.cut(0, 1)
  const { id, births } = twins(mesh)
  const [first = NOBODY, second = NOBODY] = births
  mesh.flush(0)
  mesh.drain()
  mesh.commit(2, { type: 'kill', birth: first, reason: 'logged-out' })
  mesh.flush(2)
  mesh.drain()
  expect(mesh.node(1).replica.state.byId(id)?.birth).toEqual(second)

  mesh.connect(0, 1)
  mesh.drain()

  expect(ends(mesh)).toMatchObject([{ birth: first }, { birth: second, reason: 'logged-out' }])
})

test('an end of one alone, as an idle one, is no logout: the other answers to the id', () => {
  const mesh = healthy()
  const { id, births } = twins(mesh)
  mesh.commit(0, { type: 'kill', birth: births[0] ?? NOBODY, reason: 'expired' })
  for (const i of [0, 1]) mesh.flush(i)
  mesh.drain()
  mesh.heal(4)

  for (const i of [0, 1, 2]) expect(mesh.load(i, id)).toMatchObject({ answer: { state: 'found', birth: births[1] } })
})

test('a third node does not end the other, which its maker may have made after the end of the first', () => {
  const mesh = healthy()
  const { births } = twins(mesh)
  for (const i of [0, 1]) mesh.flush(i)
  mesh.drain(({ to }) => to.index !== 2)

  expect(births.every((birth) => mesh.node(2).replica.state.live.has(birth))).toBe(true)
  expect(ends(mesh)).toEqual([])
})

test('one whose maker died before it heard of the other ends by those that are left, once its maker was away for long', () => {
  const mesh = healthy()
  mesh.cut(0, 1)
  const { id, births } = twins(mesh)
  for (const i of [0, 1]) mesh.flush(i)
  mesh.drain()
  mesh.crash(1)
  for (let seconds = 0; seconds < 14; seconds++) pass(mesh)
  expect(ends(mesh)).toEqual([])

  for (let seconds = 0; seconds < 6; seconds++) pass(mesh)

  expect(ends(mesh)).toMatchObject([{ dot: { actor: births[0]?.actor }, birth: births[1], reason: 'duplicate' }])
  for (const i of [0, 2]) {
    expect([...mesh.node(i).replica.state.live.values()].map(({ birth }) => birth)).toEqual([births[0]])
    expect(mesh.load(i, id)).toMatchObject({ answer: { state: 'found', birth: births[0] } })
  }
})

test('a session that got another id meanwhile does not give way to one that came under the id it had', () => {
  const mesh = healthy()
  const { id, births } = twins(mesh)
  const [, birth = NOBODY] = births
  const own = mesh.newId()
  mesh.commit(1, { type: 'rotate', birth, id: own, writes: [text('user', 'ada')] })
  for (const i of [1, 0]) mesh.flush(i)
  mesh.drain()

  for (const i of [0, 1, 2]) {
    expect(mesh.load(i, id)).toMatchObject({ answer: { state: 'found', birth: births[0] } })
    expect(mesh.load(i, own)).toMatchObject({ answer: { state: 'found', birth } })
  }
})

test('a node whose clock is in doubt ends what gave way once its clock is right again', () => {
  const mesh = healthy()
  const { births } = twins(mesh)
  const [, birth = NOBODY] = births
  const { roster } = mesh.node(1).replica
  roster.suspectClock()
  for (const i of [1, 0]) mesh.flush(i)
  mesh.drain()
  expect([roster.isFenced, mesh.node(1).replica.state.live.has(birth)]).toEqual([true, true])

  mesh.heal(4)

  expect([roster.isFenced, mesh.node(1).replica.state.live.has(birth)]).toEqual([false, false])
})

test('a session made where its id is still that of one logged out everywhere does not end with that one', () => {
  const mesh = healthy()
  const { id, birth } = mesh.create(0, [{ name: Reserved.principal, kind: 0, value: 'ada' }])
  mesh.flush(0)
  mesh.drain()
  mesh.node(1).replica.state.revoke({ principal: 'ada', hlc: mesh.node(1).replica.state.clock.last, dot: { actor: 7, counter: 1 } })
  const base = { createdAt: mesh.now, maxIdleMs: Infinity, maxLifeMs: Infinity }
  const again = mesh.node(1).replica.nextDot.counter + 1

  mesh.commit(1, { type: 'create', id, base, writes: [] })
  mesh.flush(1)
  mesh.drain()
  mesh.tick()
  mesh.drain()

  for (const { replica } of mesh.nodes) {
    expect(replica.state.live.has(birth)).toBe(false)
    expect(replica.state.byId(id)?.birth.counter).toBe(again)
  }
})

const NOBODY: Dot = { actor: 0, counter: 0 }

function healthy(): Mesh {
  const mesh = new Mesh(3)
  mesh.connectAll()
  mesh.heal(12)
  return mesh
}

/** Nodes 0 and 1 make a session each under one id. */
function twins(mesh: Mesh): { id: IdHash; births: readonly Dot[] } {
  const id = mesh.newId()
  const base = { createdAt: mesh.now, maxIdleMs: Infinity, maxLifeMs: Infinity }
  const births = [0, 1].map((i) => {
    const birth = mesh.node(i).replica.nextDot
    mesh.commit(i, { type: 'create', id, base, writes: [text('at', String(i))] })
    return birth
  })
  return { id, births }
}

/** A second. */
function pass(mesh: Mesh): void {
  for (let i = 0; i < 10; i++) {
    mesh.tick()
    mesh.drain()
  }
}

function ends(mesh: Mesh): readonly Extract<Mesh['events'][number], { type: 'kill' }>[] {
  return mesh.events.flatMap((event) => (event.type === 'kill' ? [event] : []))
}
