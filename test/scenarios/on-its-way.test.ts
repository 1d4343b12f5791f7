/** A browser wrote on one node, and its next request goes to another one before that has heard of it. */
import { expect, test } from 'vitest'
import type { Stamp } from '../../src/replica/events.js'
import type { Dot, IdHash } from '../../src/session/session.js'
import { Mesh, originOf } from '../replica/mesh.js'

interface Browser {
  readonly birth: Dot
  readonly id: IdHash
  readonly stamp: Stamp
}

/** Three nodes; what the first one tells the second of the write is on its way. */
function written(): { readonly mesh: Mesh; readonly browser: Browser } {
  const mesh = new Mesh(3)
  mesh.connectAll()
  mesh.heal(12)
  const { birth, id } = mesh.create(0)
  mesh.flush(0)
  mesh.drain()
  const dot = mesh.node(0).replica.nextDot
  mesh.commit(0, { type: 'write', birth, writes: [{ name: 'cart', kind: 0, value: new Uint8Array([1]) }] })
  mesh.flush(0)
  const highest = mesh.node(0).replica.state.live.get(birth)?.highest ?? 0
  return { mesh, browser: { birth, id, stamp: { highest, touchedAt: 0, dots: [dot] } } }
}

function look(mesh: Mesh, at: number, { id, birth, stamp }: Browser): void {
  mesh.load(at, id, originOf(birth), stamp)
}

function asked(mesh: Mesh): number {
  return mesh.wires.filter(({ message }) => message.type === 'pull').length
}

test('nobody is asked, and the request goes on as soon as it is there', () => {
  const { mesh, browser } = written()

  look(mesh, 1, browser)

  expect(asked(mesh)).toBe(0)
  expect(mesh.answerTo(mesh.lastRequest)).toBeUndefined()
  mesh.drain()
  expect(mesh.answerTo(mesh.lastRequest)).toMatchObject({ answer: { state: 'found', stale: false } })
})

test('what takes long is asked for', () => {
  const { mesh, browser } = written()
  mesh.wires.splice(0)

  look(mesh, 1, browser)
  mesh.tick()
  expect(asked(mesh)).toBe(2)
  mesh.drain()

  expect(mesh.answerTo(mesh.lastRequest)).toMatchObject({ answer: { state: 'found', stale: false } })
})

test('when the link to its maker ends, the others are asked at once', () => {
  const { mesh, browser } = written()
  const onlyTo2 = mesh.wires.filter(({ to }) => to.index === 2)
  mesh.wires.splice(0, mesh.wires.length, ...onlyTo2)
  mesh.drain()

  look(mesh, 1, browser)
  expect(asked(mesh)).toBe(0)
  mesh.cut(0, 1)
  expect(asked(mesh)).toBe(1)
  mesh.drain()

  expect(mesh.answerTo(mesh.lastRequest)).toMatchObject({ answer: { state: 'found', stale: false } })
})

test('what nobody linked made is asked for at once', () => {
  const { mesh, browser } = written()
  mesh.drain()
  mesh.crash(0)
  const elsewhere = { actor: 77, counter: 1 }

  look(mesh, 1, { ...browser, stamp: { ...browser.stamp, dots: [elsewhere] } })

  expect(asked(mesh)).toBe(1)
})

test('who has no time to wait and then ask, asks', () => {
  const mesh = new Mesh(3, { waitMs: 100 })
  mesh.connectAll()
  mesh.heal(12)
  const { birth, id } = mesh.create(0)
  mesh.flush(0)

  mesh.load(1, id, originOf(birth))

  expect(asked(mesh)).toBe(2)
})

test('when the link to its maker ends and there is no other, nothing is sent to nobody', () => {
  const mesh = new Mesh(2)
  mesh.connectAll()
  mesh.heal(12)
  const { birth, id } = mesh.create(0)

  mesh.load(1, id, originOf(birth))
  mesh.cut(0, 1)

  expect(mesh.outputs.filter(({ output }) => output.type === 'send' && output.links.length === 0)).toEqual([])
})
