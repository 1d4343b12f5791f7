import { expect, test } from 'vitest'
import { Mesh, text } from '../replica/mesh.js'

/**
 * Found by the simulator (an active session is not denied, seed 11938). The announcement of an access was lost with a
 * queue that overflowed; lists of missing events do not name accesses. The peer denied the session as idle for as long
 * as the next announcement took. Now it asks before it says so.
 */
const IDLE_MS = 60_000

test('a node that missed the announcement of an access asks before it denies the session as idle', () => {
  const { mesh, id } = usedWithoutNode1()

  mesh.load(1, id)
  mesh.drain()

  expect(mesh.answerTo(mesh.lastRequest)).toMatchObject({ answer: { state: 'found' } })
})

test('a session that nobody has used is denied when all have answered', () => {
  const { mesh, id } = usedWithoutNode1()
  pass(mesh, IDLE_MS)

  mesh.load(1, id)
  expect(mesh.answerTo(mesh.lastRequest)).toBeUndefined()
  mesh.drain()

  expect(mesh.answerTo(mesh.lastRequest)).toMatchObject({ answer: { state: 'none', why: 'gone' } })
})

test('who asks again at once is denied at once', () => {
  const { mesh, id } = usedWithoutNode1()
  pass(mesh, IDLE_MS)
  mesh.load(1, id)
  mesh.drain()

  expect(mesh.load(1, id)).toMatchObject({ answer: { state: 'none', why: 'gone' } })
})

/** A session that node 0 served when node 1's knowledge was nearly run out, and node 1 did not hear of it. */
function usedWithoutNode1() {
  const mesh = new Mesh(3)
  mesh.connectAll()
  mesh.heal(12)
  const { birth, id } = mesh.create(0, [text('user', 'ada')], IDLE_MS)
  mesh.flush(0)
  mesh.drain()
  pass(mesh, IDLE_MS - 1_000)
  mesh.input(mesh.node(0), { type: 'touch', birth, at: mesh.now })
  mesh.flush(0)
  mesh.wires.splice(0)
  pass(mesh, 1_200)
  return { mesh, id }
}

/** Time passes; no access is announced, and nobody who takes the session for over gets an answer. */
function pass(mesh: Mesh, ms: number): void {
  for (let i = 0; i < ms / 100; i++) {
    mesh.tick()
    mesh.drain(({ message }) => message.type === 'touches' || message.type === 'probe')
  }
}
