import { expect, test } from 'vitest'
import type { IdHash } from '../../src/session/session.js'
import { Mesh, text } from './mesh.js'

/** Ids that others make say nothing of the event that added them: their origin is null. */
function three(): Mesh {
  const mesh = new Mesh(3)
  mesh.connectAll()
  mesh.heal(12)
  return mesh
}

const pulls = (mesh: Mesh): number =>
  mesh.outputs.filter(({ output }) => output.type === 'send' && output.message.type === 'pull').length

const madeUp = (i: number): IdHash => `made-up-${String(i).padStart(14, '0')}` as IdHash

test('a foreign id that has not arrived yet is pulled, not refused', () => {
  const mesh = three()
  const { id, birth } = mesh.create(0, [text('user', 'ada')])

  mesh.load(1, id)
  const request = mesh.lastRequest
  expect(mesh.answerTo(request)).toBeUndefined()
  mesh.drain()

  expect(mesh.answerTo(request)).toMatchObject({ answer: { state: 'found', birth } })
})

test('a foreign id whose session ended elsewhere is over where neither its birth nor its end has arrived', () => {
  const mesh = three()
  const { id, birth } = mesh.create(0)
  mesh.commit(0, { type: 'kill', birth, reason: 'destroyed' })

  mesh.load(1, id)
  const request = mesh.lastRequest
  mesh.drain()

  expect(mesh.answerTo(request)).toMatchObject({ answer: { state: 'none', why: 'gone' } })
})

test('a foreign id whose end arrives before its birth is over, not unknown', () => {
  const mesh = three()
  const { id, birth } = mesh.create(0)
  mesh.flush(0)
  const waiting = mesh.wires.findIndex(({ to }) => to.index === 2)
  const creation = mesh.wires.splice(waiting, 1)[0]
  mesh.drain()
  mesh.commit(1, { type: 'kill', birth, reason: 'destroyed' })
  mesh.flush(1)
  mesh.drain()
  if (creation !== undefined) mesh.wires.push(creation)
  mesh.drain()

  expect(mesh.load(2, id)).toMatchObject({ answer: { state: 'none', why: 'gone' } })
})

test('an id that nobody knows is asked about once, then not for a second', () => {
  const mesh = three()
  mesh.load(0, madeUp(1))
  mesh.drain()
  const asked = pulls(mesh)

  for (let i = 0; i < 100; i++) expect(mesh.load(0, madeUp(1))).toMatchObject({ answer: { state: 'none', why: 'unknown' } })

  expect(pulls(mesh)).toBe(asked)
  for (let i = 0; i < 11; i++) mesh.tick()
  mesh.load(0, madeUp(1))
  expect(pulls(mesh)).toBe(asked + 1)
})

test('a flood of made-up ids is no flood of questions, and sessions are found in the middle of it', () => {
  const mesh = three()
  const { id, birth } = mesh.create(1)
  mesh.flush(1)
  mesh.drain()
  const before = pulls(mesh)

  for (let i = 0; i < 20_000; i++) {
    mesh.load(0, madeUp(i))
    if (i % 100 === 0) mesh.drain()
    if (i % 2_000 === 1_999) mesh.tick()
    if (i % 5_000 === 0) expect(mesh.load(0, id)).toMatchObject({ answer: { state: 'found', birth } })
  }
  mesh.drain()

  // A second's worth at once, and ten tenths of a second's worth after it.
  expect(pulls(mesh) - before).toBeLessThanOrEqual(1_001)
  expect(pulls(mesh) - before).toBeGreaterThan(900)
  expect(mesh.node(0).replica.pulls.counts.notAsked).toBeGreaterThan(18_000)
})

test('what an id was is forgotten in time, and an id in use again is in use', () => {
  const mesh = three()
  const first = mesh.create(0)
  mesh.commit(0, { type: 'kill', birth: first.birth, reason: 'destroyed' })
  mesh.flush(0)
  mesh.drain()
  const birth = mesh.node(1).replica.nextDot
  const base = { createdAt: mesh.now, maxIdleMs: Infinity, maxLifeMs: Infinity }
  mesh.commit(1, { type: 'create', id: first.id, base, writes: [] })
  mesh.flush(1)
  mesh.drain()
  for (const i of [0, 1, 2]) expect(mesh.load(i, first.id)).toMatchObject({ answer: { state: 'found', birth } })

  mesh.commit(1, { type: 'kill', birth, reason: 'destroyed' })
  mesh.flush(1)
  mesh.drain()
  expect(mesh.load(2, first.id)).toMatchObject({ answer: { state: 'none', why: 'gone' } })
  for (let i = 0; i < 80; i++) {
    mesh.tick(500)
    mesh.drain()
  }

  mesh.load(2, first.id)
  const request = mesh.lastRequest
  mesh.drain()
  expect(mesh.answerTo(request)).toMatchObject({ answer: { state: 'none', why: 'unknown' } })
})
