import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { MUTANTS } from '../mutants/mutants.js'
import { planted } from '../mutants/planted.js'

const BUILT = join(import.meta.dirname, '../../dist/src')

/** Here and not with the other tests of mutants, because it needs the build. */
test('every planted bug finds its place in the built code', () => {
  const misfits = MUTANTS.flatMap(({ bug, changes }) => {
    return changes.flatMap((change) => {
      try {
        planted(readFileSync(join(BUILT, `${change.file}.js`), 'utf8'), change)
        return []
      } catch (error) {
        return [`${bug}: ${String(error)}`]
      }
    })
  })

  expect(misfits).toEqual([])
})
