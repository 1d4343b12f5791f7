import { expect, test } from 'vitest'
import { Mesh, originOf, type Wire } from '../replica/mesh.js'
import { changeTags, tagsAt } from './tags.js'

/**
 * What the checker of merged attributes expects of removals, as one story. A tag is added on node 0. Node 1 removes
 * it, and node 2, which has heard of that, removes it once more: it holds no addition of it, so its removal removes none.
 * Node 3 hears of the second removal alone. (The story of seed 73, told by a checker that took the tag for gone there.)
 */
test('a removal takes the additions that its author held, and no others: whoever lacks the first one still holds the tag', () => {
  const mesh = new Mesh(4)
  mesh.connectAll()
  mesh.heal(12)
  const { birth, id } = mesh.create(0, [])
  mesh.commit(0, { type: 'write', birth, writes: [changeTags({ add: 1 })] })
  mesh.flush(0)
  mesh.drain()
  expect(tagsAt(mesh, 3, birth)).toEqual([1])

  mesh.commit(1, { type: 'write', birth, writes: [changeTags({ remove: 1 })] })
  mesh.flush(1)
  const isFirstRemoval = ({ from, to }: Wire): boolean => from.index === 1 && to.index === 3
  mesh.drain(isFirstRemoval)
  expect(tagsAt(mesh, 2, birth)).toEqual([])
  mesh.commit(2, { type: 'write', birth, writes: [changeTags({ remove: 1 })] })
  const removal = mesh.events.at(-1)
  mesh.flush(2)
  mesh.drain(isFirstRemoval)

  // The second removal names no addition. Nor need it: what it was made after says that the tag is gone.
  expect(removal).toMatchObject({ writes: [{ value: { type: 'set', remove: [] } }] })
  expect(tagsAt(mesh, 3, birth)).toEqual([1])

  // Nobody who saw the tag gone is shown it again: the stamp of node 2 lists the first removal, and node 3 asks for it when it does not come.
  mesh.load(2, id, originOf(birth))
  const answer = mesh.answerTo(mesh.lastRequest)
  const stamp = answer?.type === 'loaded' && answer.answer.state === 'found' ? answer.answer.stamp : undefined
  expect(stamp?.dots).toContainEqual({ actor: mesh.node(1).actor, counter: 1 })
  expect(mesh.load(3, id, originOf(birth), stamp)).toBeUndefined()
  mesh.tick()
  mesh.drain(isFirstRemoval)
  expect(mesh.answerTo(mesh.lastRequest)).toMatchObject({ answer: { state: 'found', stale: false } })
  expect(tagsAt(mesh, 3, birth)).toEqual([])

  mesh.drain()
  for (const node of mesh.nodes) expect(tagsAt(mesh, node.index, birth)).toEqual([])
})
