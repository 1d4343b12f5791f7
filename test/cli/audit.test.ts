import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeIo } from './fake-io.js'

const ROOT = join(import.meta.dirname, '../..')
let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'session-mesh-audit-'))
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
})
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0

/** A module of a user's own, by its path. */
function moduleOf(text: string): string {
  const name = `./store-${++files}.mjs`
  writeFileSync(join(folder, name), text)
  return name
}

interface Ran {
  readonly exit: number
  readonly out: string
  readonly err: string
}

async function audit(...args: readonly string[]): Promise<Ran> {
  const io = new FakeIo(folder)
  const exit = await io.run('audit', ...args)
  return { exit, out: io.out, err: io.err }
}

const MISSING = ['--only', 'missing'] as const

describe('a store is found', () => {
  test.each([
    ['as a class', "import session from 'express-session'\nexport default session.MemoryStore"],
    ['as an instance', "import session from 'express-session'\nexport default new session.MemoryStore()"],
    ['made by a function', 'export default (session) => new session.MemoryStore()'],
    ['made by a function that takes its time', 'export default async (session) => new session.MemoryStore()'],
    ['as a class that a function answers with', 'export default (session) => session.MemoryStore'],
    ['beside what closes it', 'export default (session) => ({ store: new session.MemoryStore(), close() {} })'],
  ])('%s', async (_, text) => {
    expect(await audit('--store', moduleOf(text), ...MISSING)).toMatchObject({ exit: 0, err: '' })
  })

  test.each(['memorystore', 'express-session#MemoryStore'])('in the package %s', async (store) => {
    expect(await audit('--store', store, ...MISSING)).toMatchObject({ exit: 0, err: '' })
  })
})

describe('one line says', () => {
  test.each([
    ['that there is no such file', './nowhere.mjs', 'cannot be loaded'],
    ['that there is no such export', 'express-session#MemroyStore', 'has no export called MemroyStore'],
    ['that a class needs arguments', 'connect-redis#RedisStore', 'needs arguments'],
  ])('%s', async (_, store, line) => {
    const { exit, err } = await audit('--store', store)

    expect(exit).toBe(69)
    expect(err).toContain(line)
    expect(err.trimEnd().split('\n')).toHaveLength(1)
  })

  test('that what is exported is no store', async () => {
    const { exit, err } = await audit('--store', moduleOf('export default { get() {} }'))

    expect([exit, err.includes('an object with get, set and destroy')]).toEqual([69, true])
  })

  test.each([
    ['--store', 'memorystore', '--only', 'lost-updat', 'did you mean lost-update?'],
    ['--store', 'memorystore', '--trials', 'many', 'must be a whole number'],
    ['--trials', '5', '--strict', '--card', '--store is missing'],
  ])('what is wrong with %s %s %s %s', async (...words) => {
    const [line = ''] = words.slice(-1)
    const { exit, err } = await audit(...words.slice(0, -1))

    expect(exit).toBe(64)
    expect(err).toContain(line)
  })
})

test('what is broken is counted and explained, and fails only those who ask for it', async () => {
  const ask = ['--store', 'express-session#MemoryStore', '--only', 'lost-update,missing', '--trials', '10']

  const { exit, out } = await audit(...ask)

  expect(exit).toBe(0)
  expect(out).toContain('✗ concurrent changes of different attributes both stay  broken in 10 of 10')
  expect(out).toContain('✓ a missing session is answered with nothing')
  expect(out).toContain('1 kept, 1 broken, 0 not tried')
  expect((await audit(...ask, '--strict')).exit).toBe(1)
})

test('findings are data for programs and a table for pages', async () => {
  const ask = ['--store', 'memorystore', '--only', 'outage,resave', '--trials', '10']

  const { out: json } = await audit(...ask, '--json')
  const { out: card } = await audit(...ask, '--card')

  expect(JSON.parse(json)).toMatchObject({
    store: 'memorystore',
    findings: [
      { check: 'outage', grade: 'not-tried' },
      { check: 'resave', grade: 'failed', trials: 10, failures: 10 },
    ],
  })
  expect(card.trim().split('\n')).toHaveLength(4)
  expect(card).toContain('| ✗ broken in 10 of 10 |')
})
