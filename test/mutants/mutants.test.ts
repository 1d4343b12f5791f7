import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { MUTANTS, rulesWithoutMutant } from './mutants.js'
import { planted } from './planted.js'

const ROOT = join(import.meta.dirname, '../..')

describe('the planted bugs', () => {
  test('take back every rule of the protocol', () => {
    const protocol = readFileSync(join(ROOT, 'PROTOCOL.md'), 'utf8')

    expect(rulesWithoutMutant(protocol)).toEqual([])
    expect(rulesWithoutMutant(`${protocol}\n* **Z9** A rule nobody has thought of breaking.`)).toEqual(['Z9'])
  })

  test('name tests that exist', () => {
    const files = MUTANTS.flatMap(({ catcher }) => (catcher.type === 'test' ? [catcher.file] : []))

    expect(files.filter((file) => !existsSync(join(ROOT, 'test', `${file}.test.ts`)))).toEqual([])
  })

  test('have each a name of their own', () => {
    expect(new Set(MUTANTS.map(({ bug }) => bug)).size).toBe(MUTANTS.length)
  })
})

describe('a change', () => {
  const change = { file: 'x', find: 'if (a) return', put: 'if ($1) return' }

  test('is planted whatever the white space, and as it is', () => {
    expect(planted('x\nif (a)\n    return 1', change)).toBe('x\nif ($1) return 1')
  })

  test('is refused where its place is not there exactly once', () => {
    expect(() => planted('if (b) return', change)).toThrow('0 places')
    expect(() => planted('if (a) return; if (a) return', change)).toThrow('2 places')
  })
})
