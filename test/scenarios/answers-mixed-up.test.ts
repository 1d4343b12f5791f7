import { expect, test } from 'vitest'
import type { Dot } from '../../src/session/session.js'
import { canonical, Mesh, type Wire } from '../replica/mesh.js'

/** Parts of several answers arrive at one node: only those that answer its present question count. */
const [maker, answering, asking] = [0, 1, 2] as const

test('an answer that comes after its question was given up does not hold up the next one', () => {
  const { mesh } = behind(6)
  untilRequest(mesh)
  mesh.drain(isAnswer)
  for (let i = 0; i < 52; i++) mesh.tick()
  expect(mesh.wires.filter(({ message }) => message.type === 'sync-request')).toHaveLength(1)

  mesh.drain()

  expect(mesh.node(asking).replica.state.live.size).toBe(6)
})

test('the parts of one answer and the end of another do not make a whole', () => {
  const { mesh, births } = behind(5)
  const request = untilRequest(mesh)
  mesh.deliver(request, true)
  for (const birth of births.slice(0, 2)) mesh.commit(maker, { type: 'kill', birth, reason: 'destroyed' })
  mesh.flush(maker)
  mesh.drain(({ from }) => from.index !== maker)

  // The same request again. Its answer is shorter than the first, of which four parts are on their way.
  mesh.deliver(request)
  mesh.drain()
  mesh.heal()

  expect(mesh.node(asking).replica.state.live.size).toBe(3)
  expect(canonical(mesh.node(asking).replica)).toEqual(canonical(mesh.node(answering).replica))
})

/** A node that lacks so many sessions, and can learn of them from one peer only, in parts of one session. */
function behind(sessions: number): { mesh: Mesh; births: readonly Dot[] } {
  const mesh = new Mesh(3, { partFragmentsMax: 1 })
  mesh.connectAll()
  mesh.heal(12)
  mesh.cut(maker, asking)
  const births = Array.from({ length: sessions }, () => mesh.create(maker).birth)
  mesh.flush(maker)
  mesh.drain()
  return { mesh, births }
}

/** Lets time pass until the node asks. Answers where its request waits. */
function untilRequest(mesh: Mesh): number {
  for (;;) {
    const at = mesh.wires.findIndex(({ message }) => message.type === 'sync-request')
    if (at >= 0) return at
    if (mesh.wires.length === 0) mesh.tick()
    else mesh.deliver(0)
  }
}

function isAnswer({ from, to }: Wire): boolean {
  return from.index === answering && to.index === asking
}
