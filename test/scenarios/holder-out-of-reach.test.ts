import { expect, test } from 'vitest'
import { Mesh, originOf } from '../replica/mesh.js'

/** A browser that logged in on one node comes to another, which lost the first from sight a moment ago. */
test('an id whose maker was heard a moment ago is not denied while the maker cannot be asked', () => {
  const { mesh, id, origin } = unreachable()

  expect(mesh.load(1, id, origin)).toMatchObject({ answer: { state: 'behind' } })
})

test('it is denied once the maker has been silent for long', () => {
  const { mesh, id, origin } = unreachable()
  for (let i = 0; i < 160; i++) mesh.tick()

  expect(mesh.load(1, id, origin)).toMatchObject({ answer: { state: 'none', why: 'unknown' } })
})

test('it is denied at once when the maker has come back as another process', () => {
  const { mesh, id, origin } = unreachable()
  mesh.crash(0)
  mesh.restart(0)
  mesh.heal(12)

  mesh.load(1, id, origin)
  mesh.drain()

  expect(mesh.answerTo(mesh.lastRequest)).toMatchObject({ answer: { state: 'none', why: 'unknown' } })
})

function unreachable() {
  const mesh = new Mesh(2)
  mesh.connectAll()
  mesh.heal(12)
  mesh.cut(0, 1)
  const { birth, id } = mesh.create(0)
  return { mesh, id, origin: originOf(birth) }
}
