import { expect, test } from 'vitest'
import type { Output, Stamp } from '../../src/replica/events.js'
import type { Dot, IdHash } from '../../src/session/session.js'
import { Mesh, text, type Wire } from '../replica/mesh.js'

/**
 * Found by the simulator (read your writes, seed 130070). A node that lost a write hears by digests that all others
 * have it, and answers a browser that has seen it while nobody can be asked. The write was taken for one that everybody
 * has, and left out of the stamp: after a write of its own the node served the old value, and nobody was told.
 */
test('a write that everybody else has stays in the stamp of who is served without it', () => {
  const { mesh, dot, stamp } = lost()
  const request = load(mesh, stamp)
  waitFor(mesh, request)

  const loaded = outputFor(mesh, 'loaded', request)

  expect(loaded).toMatchObject({ answer: { state: 'found', stale: true, stamp: { dots: [dot] } } })
})

test('it stays there when the browser writes to that node', () => {
  const { mesh, birth, dot, stamp } = lost()
  const [answer] = mesh.input(mesh.node(2), {
    type: 'commit',
    request: 2,
    commit: { type: 'write', birth, writes: [text('page', '7')] },
    concern: 'async',
    deadline: mesh.now + 250,
    stamp,
  }).filter(({ type }) => type === 'committed')
  const after = answer?.type === 'committed' ? answer.stamp : undefined

  expect(after?.dots).toContainEqual(dot)
  const request = load(mesh, after)
  waitFor(mesh, request)
  expect(outputFor(mesh, 'loaded', request)).toMatchObject({ answer: { state: 'found', stale: true } })
})

let id: IdHash

/** Three nodes; what one of them wrote has not come to the last one, which knows that the other has it. */
function lost(): { readonly mesh: Mesh; readonly birth: Dot; readonly dot: Dot; readonly stamp: Stamp } {
  const mesh = new Mesh(3)
  mesh.connectAll()
  mesh.heal(12)
  const created = mesh.create(0, [text('colour', 'red')])
  id = created.id
  mesh.heal(12)
  mesh.commit(0, { type: 'write', birth: created.birth, writes: [text('colour', 'blue')] })
  mesh.flush(0)
  mesh.drain(isNews)
  for (let i = mesh.wires.length - 1; i >= 0; i--) mesh.lose(i)
  for (let i = 0; i < 12; i++) {
    mesh.tick()
    mesh.drain(isNews)
  }
  const dot = { actor: mesh.node(0).actor, counter: created.birth.counter + 1 }
  expect(mesh.node(2).replica.roster.haveAll(dot)).toBe(true)
  const held = mesh.node(0).replica.state.live.get(created.birth)
  return { mesh, birth: created.birth, dot, stamp: { highest: held?.highest ?? 0, touchedAt: mesh.now, dots: [dot] } }
}

/** What would bring the write to the last node. */
function isNews({ to, message: { type } }: Wire): boolean {
  return to.index === 2 && (type === 'delta' || type === 'sync-part' || type === 'sync-end' || type === 'pull-reply')
}

let requests = 1_000_000

function load(mesh: Mesh, stamp: Stamp | undefined): number {
  const request = ++requests
  mesh.input(mesh.node(2), { type: 'load', request, id, origin: null, deadline: mesh.now + 1_000, stamp })
  return request
}

function waitFor(mesh: Mesh, request: number): void {
  for (let i = 0; i < 20 && outputFor(mesh, 'loaded', request) === undefined; i++) {
    mesh.drain(isNews)
    mesh.tick()
  }
}

function outputFor(mesh: Mesh, type: 'loaded', wanted: number): Output | undefined {
  return mesh.outputs.find(({ output }) => output.type === type && output.request === wanted)?.output
}
