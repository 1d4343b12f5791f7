import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeIo } from './fake-io.js'

const SECRET = 'b0Q1hZk6s2vYx8uJ3nWc7mEa5tRd9pLf'

const TYPED = `
import { defineConfig } from 'session-mesh'
enum Size { small = 5 }
export default defineConfig({ name: 'typed', limits: { attributes: Size.small } })
`

const WRONG = `export default {
  name: 'shop',
  nam: 'x',
  peers: [1],
  secret: 'hunter2',
  limits: { sessions: 0 },
  session: { ttl: '1y' },
}`

const GOOD = `export default { name: 'shop', node: { id: 'a', listen: '127.0.0.1:0' }, secret: '${SECRET}' }`

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'session-mesh-cli-'))
  write('cluster.config.ts', GOOD)
  write('wrong.ts', WRONG)
  write('syntax.ts', 'export default {\n  name: ,\n}')
  write('throws.ts', "\nthrow new Error('no database')")
  write('empty.ts', 'export const name = 1')
  write('rejects.ts', "export default Promise.reject(new Error('vault is sealed'))")
  write('promise.mjs', "export default Promise.resolve({ name: 'shop', backend: { type: 'memory' } })")
  write('typed.ts', TYPED)
  mkdirSync(join(folder, 'folder.ts'))
  mkdirSync(join(folder, 'nothing'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)

async function run(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const io = new FakeIo(folder)
  const code = await io.run(...args)
  return { code, out: io.out, err: io.err }
}

describe('usage (L1, L2)', () => {
  test('no argument shows the usage and exits 64', async () => {
    const { code, out } = await run()

    expect(code).toBe(64)
    expect(out).toContain('Usage:')
    for (const command of ['start', 'status', 'check', 'demo']) expect(out).toContain(command)
  })

  test.each(['--help', '-h'])('%s shows the usage and exits 0', async (flag) => {
    const { code, out, err } = await run(flag)

    expect([code, err]).toEqual([0, ''])
    expect(out).toContain('Usage:')
  })

  test('a command shows its own flags', async () => {
    expect((await run('start', '--help')).out).toContain('--listen <host:port>')
  })

  test('--version shows the version and exits 0', async () => {
    expect(await run('--version')).toMatchObject({ code: 0, out: expect.stringMatching(/^session-mesh\/\d+\.\d+\.\d+ /) })
  })

  test.each<readonly [args: readonly string[], message: string]>([
    [['sttus'], ', did you mean status?)'],
    [['xyz'], 'unknown command xyz (expected one of start, status, check, demo'],
    [['--json'], '"message":"no command given (expected one of start, status'],
    [['check', '--cofnig', 'x'], 'unknown flag --cofnig, did you mean --config?'],
    [['check', '-x'], 'unknown flag -x'],
    [['check', '--config'], 'option --config <path> value is missing'],
    [['check', '--config', '--json'], 'option --config <path> value is missing'],
    [['check', '--config', 'a', '--config', 'b'], '--config is given 2 times'],
    [['check', 'more'], 'Unused args: more'],
  ])('%j exits 64', async (args, message) => {
    const { code, out, err } = await run(...args)

    expect([code, out]).toEqual([64, ''])
    expect(err).toContain(message)
  })
})

describe('check', () => {
  test('shows what a configuration comes to, without the secret', async () => {
    const { code, out, err } = await run('check')

    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/^valid .*cluster\.config\.ts\n/)
    expect(out).toMatch(/secret +1 \(32 bytes\); the first signs/)
    expect(out).toMatch(/session\.ttl +30m/)
    expect(out).not.toContain(SECRET)
  })

  test('flags win over the file', async () => {
    const { out } = await run('check', '--node', '007', '--listen=127.0.0.1:1', '--peers', '127.0.0.1:1,127.0.0.1:2', '--json')

    expect(JSON.parse(out)).toMatchObject({ 'node.id': '007', 'node.listen': '127.0.0.1:1', peers: '127.0.0.1:2' })
  })

  test('finds no configuration: 66 with the path', async () => {
    const io = new FakeIo(join(folder, 'nothing'))

    expect(await io.run('check')).toBe(66)
    expect(io.err).toContain(`${join(folder, 'nothing', 'cluster.config.ts')}: no such file`)
  })

  test.each([
    ['none.ts', 'no such file'],
    ['folder.ts', 'is a directory'],
    ['package.json', 'unknown ending (expected one of .ts, .mts, .js, .mjs)'],
  ])('L3: --config %s exits 66: %s', async (name, why) => {
    expect(await run('check', '--config', name)).toMatchObject({
      code: 66,
      out: '',
      err: `session-mesh: ${join(folder, name)}: ${why}\n`,
    })
  })

  test.each([
    ['syntax.ts', /syntax\.ts:2: .*Unexpected token/],
    ['throws.ts', /throws\.ts:2: no database/],
    ['rejects.ts', /rejects\.ts:1: vault is sealed/],
    ['empty.ts', /empty\.ts: no default export/],
  ])('C1: %s exits 78 with path and line', async (name, message) => {
    const { code, err } = await run('check', '--config', name)

    expect(code).toBe(78)
    expect(err).toMatch(message)
  })

  test('five mistakes are five lines, and 78', async () => {
    const { code, out, err } = await run('check', '--config', 'wrong.ts')
    const [head, ...lines] = err.trimEnd().split('\n')

    expect([code, out]).toEqual([78, ''])
    expect(head).toContain('wrong.ts')
    expect(lines.map((line) => /^ {2}(\S+): /.exec(line)?.[1])).toEqual([
      'peers[0]',
      'secret',
      'limits.sessions',
      'session.ttl',
      'nam',
    ])
    expect(err).not.toContain('hunter2')
  })

  test('L10: with --json a failure is one object with a code', async () => {
    const { code, out, err } = await run('check', '--config', 'wrong.ts', '--json')
    const failure: unknown = JSON.parse(err)

    expect([code, out]).toEqual([78, ''])
    expect(failure).toMatchObject({ code: 'SESSION_MESH_CONFIG', exit: 78, problems: expect.any(Array) })
    expect(err.trimEnd()).not.toContain('\n')
  })

  test('a configuration may be a promise, and may use what TypeScript offers', async () => {
    expect(await run('check', '--config', 'promise.mjs')).toMatchObject({ code: 0, err: '' })
    expect((await run('check', '--config', 'typed.ts')).out).toMatch(/limits .* 5 attributes/)
  })
})

describe('colours (L9)', () => {
  const ESCAPE = '\u001b['

  test.each([
    ['a terminal', {}, true, true],
    ['a terminal with NO_COLOR', { NO_COLOR: '1' }, true, false],
    ['a terminal that knows none', { TERM: 'dumb' }, true, false],
    ['a pipe', {}, false, false],
  ])('on %s', async (_where, variables, isTTY, coloured) => {
    const io = new FakeIo(folder, variables, isTTY)

    await io.run('check')

    expect(io.out.includes(ESCAPE)).toBe(coloured)
  })
})
