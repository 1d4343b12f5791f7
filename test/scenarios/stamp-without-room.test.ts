import { describe, expect, test } from 'vitest'
import type { LoadAnswer, Output, Stamp } from '../../src/replica/events.js'
import type { IdHash } from '../../src/session/session.js'
import { Mesh, text } from '../replica/mesh.js'

/**
 * Found by the simulator (sequential reads, seed 7139). While nothing is known to be everywhere, a session that many
 * processes wrote fills its stamps; what had no room was left out without a word, and a node that lacked it served.
 */
describe('a stamp that has no room for all that a browser has seen', () => {
  test('is covered nowhere, so that what a node without peers shows is marked', () => {
    const { mesh, id, stamp } = overfull()

    const answer = load(mesh, 2, id, stamp)

    expect(answer).toMatchObject({ state: 'found', stale: true })
  })

  test('is replaced by one that lists what is here, once every member was asked', () => {
    const { mesh, id, stamp } = overfull()
    mesh.heal(12)

    const marked = load(mesh, 2, id, stamp)
    const after = marked?.state === 'found' ? marked.stamp : undefined

    expect(marked).toMatchObject({ state: 'found', stale: true })
    expect(load(mesh, 2, id, after)).toMatchObject({ state: 'found', stale: false, stamp: { dots: [] } })
  })

  test('is not one whose earlier writers have nothing left to show', () => {
    const mesh = three()
    mesh.cut(0, 2)
    mesh.cut(1, 2)
    const { birth } = mesh.create(0, [text('a', '1')])
    pass(mesh)

    const committed = commit(mesh, 1, { type: 'rotate', birth, id: mesh.newId(), writes: [text('a', '2')] })

    expect(committed?.dots).toEqual([{ actor: mesh.node(1).actor, counter: 1 }])
  })
})

/** A browser has seen writes of two nodes; the third has the first of them, is cut off, and has written later than both. */
function overfull(): { mesh: Mesh; id: IdHash; stamp: Stamp | undefined } {
  const mesh = three()
  const { birth, id } = mesh.create(0)
  pass(mesh)
  mesh.cut(1, 2)
  mesh.commit(0, { type: 'write', birth, writes: [text('a', '1')] })
  pass(mesh)
  mesh.cut(0, 2)
  const stamp = commit(mesh, 1, { type: 'write', birth, writes: [text('b', '1')] })
  mesh.tick()
  pass(mesh)
  mesh.commit(2, { type: 'write', birth, writes: [text('c', '1')] })
  return { mesh, id, stamp }
}

/** Three nodes that agree, whose stamps have room for one event. */
function three(): Mesh {
  const mesh = new Mesh(3, { stampDotsMax: 1 })
  mesh.connectAll()
  mesh.heal(12)
  return mesh
}

function pass(mesh: Mesh): void {
  for (const { index } of mesh.nodes) mesh.flush(index)
  mesh.drain()
}

type Commit = Parameters<Mesh['commit']>[1]

/** The stamp that comes with the answer to a commit. */
function commit(mesh: Mesh, at: number, what: Commit): Stamp | undefined {
  const outputs = mesh.input(mesh.node(at), {
    type: 'commit',
    request: 1,
    commit: what,
    concern: 'async',
    deadline: mesh.now + 250,
  })
  return outputs.find((output): output is Extract<Output, { type: 'committed' }> => output.type === 'committed')?.stamp
}

let requests = 1_000_000

function load(mesh: Mesh, at: number, id: IdHash, stamp: Stamp | undefined): LoadAnswer | undefined {
  const request = ++requests
  mesh.input(mesh.node(at), { type: 'load', request, id, origin: null, deadline: mesh.now + 1_000, stamp })
  mesh.drain()
  const answer = mesh.answerTo(request)
  return answer?.type === 'loaded' ? answer.answer : undefined
}
