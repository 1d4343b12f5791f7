import { expect, test } from 'vitest'
import { Mesh, originOf } from '../replica/mesh.js'
import { changeTags, tagsAt } from './tags.js'

/**
 * Two nodes that do not hear each other change one set: one removes a tag, the other adds one. When they meet, they
 * exchange not what was done but what they hold: the removal is nowhere written down in it. It is in what each has seen.
 */
test('what was removed on one node stays removed when it meets the set of another, and what was added there stays', () => {
  const mesh = new Mesh(2)
  mesh.connectAll()
  mesh.heal(12)
  const { birth, id } = mesh.create(0, [])
  for (const add of [1, 2]) mesh.commit(0, { type: 'write', birth, writes: [changeTags({ add })] })
  mesh.flush(0)
  mesh.drain()
  expect(tagsAt(mesh, 1, birth)).toEqual([1, 2])

  mesh.commit(0, { type: 'write', birth, writes: [changeTags({ remove: 1 })] })
  mesh.commit(1, { type: 'write', birth, writes: [changeTags({ add: 3 })] })
  mesh.flush(0)
  mesh.flush(1)
  while (mesh.wires.length > 0) mesh.lose(0)
  expect(tagsAt(mesh, 0, birth)).toEqual([2])
  expect(tagsAt(mesh, 1, birth)).toEqual([1, 2, 3])

  // A browser that has seen the removal comes to node 1, which asks node 0 for the session as a whole when nothing comes.
  mesh.load(0, id, originOf(birth))
  const seen = mesh.answerTo(mesh.lastRequest)
  const stamp = seen?.type === 'loaded' && seen.answer.state === 'found' ? seen.answer.stamp : undefined
  expect(mesh.load(1, id, originOf(birth), stamp)).toBeUndefined()
  mesh.tick()
  mesh.drain()

  expect(mesh.answerTo(mesh.lastRequest)).toMatchObject({ answer: { state: 'found', stale: false } })
  expect(tagsAt(mesh, 1, birth)).toEqual([2, 3])
  mesh.heal(12)
  expect(tagsAt(mesh, 0, birth)).toEqual([2, 3])
})
