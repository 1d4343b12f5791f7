import { expect, test } from 'vitest'
import { Mesh, text } from '../replica/mesh.js'

/**
 * Found by the simulator (stamps, seed 130066). A node that hears nobody was shown the stamp of a browser that had written
 * to a process which began meanwhile. It took that process for one that has ended, the write for lost, and told the browser
 * to forget it.
 */
test('who reaches nobody takes no write for lost because it does not know who made it', () => {
  const mesh = new Mesh(3)
  mesh.connectAll()
  mesh.heal(12)
  const { birth, id } = mesh.create(0, [text('colour', 'red')])
  mesh.heal(12)
  mesh.cut(0, 2)
  mesh.cut(1, 2)
  mesh.crash(0)
  mesh.restart(0)
  mesh.connect(0, 1)
  for (let i = 0; i < 6; i++) {
    mesh.tick()
    mesh.drain()
  }
  expect(mesh.commit(0, { type: 'write', birth, writes: [text('colour', 'blue')] })).toBe('done')
  const dot = { actor: mesh.node(0).actor, counter: 1 }
  const highest = mesh.node(0).replica.state.live.get(birth)?.highest ?? 0

  mesh.input(mesh.node(2), {
    type: 'load',
    request: 1_000_000,
    id,
    origin: null,
    deadline: mesh.now + 1_000,
    stamp: { highest, touchedAt: mesh.now, dots: [dot] },
  })
  for (let i = 0; i < 12; i++) mesh.tick()

  expect(mesh.answerTo(1_000_000)).toMatchObject({
    answer: { state: 'found', stale: true, stamp: { dots: expect.arrayContaining([dot]) } },
  })
})
