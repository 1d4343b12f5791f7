import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadBetween, readMetrics } from '../../src/cli/advise/live-load.js'
import { adviseOptions } from '../../src/cli/advise/options.js'
import { AdminServer } from '../../src/observe/admin-server.js'
import { madeUpRun } from '../advisor/made-up-run.js'
import { FakeIo } from './fake-io.js'

const LOAD = ['--sessions', '50k', '--bytes', '1k', '--rate', '2000', '--nodes', '4', '--rtt', '0.5']
let folder = ''
let file = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'advise-'))
  file = join(folder, 'run.json')
  writeFileSync(file, JSON.stringify(madeUpRun()))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('advise', () => {
  test('says what each would cost, which is the cheapest, what dominates, and where it ends', async () => {
    const io = new FakeIo(folder)

    expect(await io.run('advise', ...LOAD, '--calibration', 'run.json')).toBe(0)

    expect(io.out).toMatch(/^50,000 sessions of 1 kB, 2,000 requests\/s, 10 % write 100 B; 4 nodes, 0.5 ms there and back\n/)
    expect(io.out).toContain('Measured on Difference Engine, 2 cores, Node v20.0.0; 2026-01-02, commit abc1234')
    expect(io.out).toMatch(/\nreplicated, acks async +0\.32, 0\.08 each +- +99\.5 MB +27\.3 kB\/s +0\.93 ms \(0\.47 ms–1\.40 ms\) +0 %\n/)
    expect(io.out).toMatch(/\nRight about loads it was not fitted to: CPU 8 of 8 within ±30 %; memory 6 of 6 within ±30 %; p99 8 of 8 within ±50 %\n/)
    expect(io.out).toMatch(/\nRedis +0\.42, 0\.10 each +0\.04 +- +663 kB\/s +1\.98 ms \([12]\.[0-9]+ ms–[12]\.[0-9]+ ms\) +0 %\n/)
    expect(io.out).toMatch(/\nCheapest that keeps the limits: replicated, acks async\. Of its CPU, \d\d % is for each read\.\n/)
    expect(io.out).toContain("backend: { type: 'replicated', acks: { write: 'async' } }")
    expect(io.out).toMatch(/\nRedis is cheaper from \d+ nodes on \(\d+ to \d+\)\.\n$/)
    expect(io.err).toBe('')
  })

  test('says between what each may lie, by how wrong predictions were', async () => {
    const io = new FakeIo(folder)
    let cells = 0
    writeFileSync(join(folder, 'noisy.json'), JSON.stringify(madeUpRun({ factor: () => (cells++ % 3 === 0 ? 1.15 : 0.95) })))

    expect(await io.run('advise', ...LOAD, '--calibration', 'noisy.json')).toBe(0)

    expect(io.out).toMatch(/\nreplicated, acks async +[\d.]+ \([\d.]+–[\d.]+\), .* +[\d.]+ MB \([\d.]+ MB–[\d.]+ MB\) +/)
  })

  test('explains every term by its coefficient and the cells it was fitted to', async () => {
    const io = new FakeIo(folder)

    expect(await io.run('advise', ...LOAD, '--acks', 'async', '--explain', '--calibration', file)).toBe(0)

    expect(io.out).toMatch(/each write, per peer \(× 0\.0000150\)/)
    expect(io.out).toContain('calibration, mesh-async, nodes 3, sessionBytes 1000, sessions 600, writes 0.1, rate 300')
    expect(io.out).toContain('for 8 loads it was not fitted to')
  })

  test('says it in JSON', async () => {
    const io = new FakeIo(folder)

    expect(await io.run('advise', ...LOAD, '--json', '--calibration', file)).toBe(0)

    const said = JSON.parse(io.out) as Record<string, unknown>
    expect(said).toMatchObject({
      calibration: { commit: 'abc1234', machine: { cpu: 'Difference Engine' } },
      best: { prediction: { candidate: { title: 'replicated, acks async' } } },
    })
  })

  test('says when nothing keeps the limits', async () => {
    const io = new FakeIo(folder)

    expect(await io.run('advise', ...LOAD, '--limit-p99', '0.01', '--calibration', file)).toBe(0)

    expect(io.out).toContain('None of them keeps the limits.')
    expect(io.out).toMatch(/replicated, acks one .*p99 above the limit\n/)
  })

  test('needs a run of the benchmark that calibrated', async () => {
    writeFileSync(join(folder, 'other.json'), '{"format":2}')
    writeFileSync(join(folder, 'empty.json'), JSON.stringify({ ...madeUpRun(), cells: [] }))

    for (const [name, line] of [
      ['none.json', 'cannot be read: make one with npm run bench -- --only calibration,memory,replication'],
      ['other.json', 'is no run of the benchmark (format: Invalid input: expected 1)'],
      ['empty.json', 'has no usable cells: ask the benchmark for calibration'],
    ] as const) {
      const io = new FakeIo(folder)
      expect(await io.run('advise', ...LOAD, '--calibration', name)).toBe(66)
      expect(io.err).toBe(`session-mesh: ${join(folder, name)} ${line}\n`)
    }
  })
})

describe('what the command line may say', () => {
  test.each<readonly [text: string, value: number]>([
    ['200k', 200_000],
    ['1.5m', 1_500_000],
    ['0.5G', 5e8],
    ['64mib', 64 * 1_024 ** 2],
    ['1kb', 1_000],
    ['17', 17],
  ])('%s is %d', (bytes, value) => {
    expect(adviseOptions({ sessions: 1, rate: 1, bytes }).given.bytes).toBe(value)
  })

  test.each<readonly [flags: Record<string, unknown>, line: string]>([
    [{}, '--sessions is needed, or --from with the address of a running member; --rate is needed'],
    [{ sessions: 'lots', rate: 1 }, '--sessions must be a number such as 500, 200k or 1.5m (got "lots")'],
    [{ sessions: 1, rate: 1, bytes: '-1k' }, '--bytes must be a size such as 800, 1k, 64mib or 2g (got "-1k")'],
    [{ sessions: 1, rate: 1, writes: 10 }, '--writes must be a share from 0 to 1 (got 10)'],
    [{ sessions: 1, rate: 1, nodes: 2.5 }, '--nodes must be a whole number from 1 to 1000 (got 2.5)'],
    [{ sessions: 1, rate: 1, limitP99: 'x' }, '--limit-p99 must be milliseconds, such as 0.5 (got "x")'],
    [{ sessions: 1, rate: 1, acks: 'quorun' }, '--acks must be one of async, one, quorum, all (got "quorun"'],
    [{ sessions: 1, rate: 1, bytes: 10, change: 20 }, '--change must not be larger than --bytes'],
    [{ from: 'a:1', for: '1h' }, '--for must be a duration such as 5s, at most 10m'],
  ])('%o is not understood', (flags, line) => {
    expect(() => adviseOptions(flags)).toThrow(line)
  })

  test('everything wrong is told at once', () => {
    expect(() => adviseOptions({ sessions: 'x', rate: 'y', nodes: 0 })).toThrow(/--sessions .*; --rate .*; --nodes /)
  })
})

describe('the load of a running member', () => {
  const before = readMetrics('session_mesh_http_sessions_found_total 1000\nsession_mesh_http_commits_total 100\n')
  const after = readMetrics(
    [
      '# TYPE session_mesh_sessions gauge',
      'session_mesh_sessions 400',
      'session_mesh_session_bytes 200000',
      'session_mesh_members 3',
      'session_mesh_http_sessions_found_total 1900',
      'session_mesh_http_sessions_created_total 100',
      'session_mesh_http_commits_total 350',
      '',
    ].join('\n'),
  )

  test('is what its counters say happened between two looks, on as many nodes as it knows', () => {
    expect(loadBetween(before, after, 2_000)).toEqual({ nodes: 3, sessions: 400, bytes: 500, rate: 1_500, writes: 0.25 })
  })

  test('has no rate where there were no requests', () => {
    expect(loadBetween(after, after, 2_000)).toEqual({ nodes: 3, sessions: 400, bytes: 500 })
  })

  test('is asked for by --from, and the command line wins', async () => {
    let found = 0
    const admin = new AdminServer({
      secrets: [],
      now: Date.now,
      status: () => {
        throw new Error('not asked')
      },
      metrics: () => ({
        session_mesh_sessions: 400,
        session_mesh_session_bytes: 200_000,
        session_mesh_members: 3,
        session_mesh_http_sessions_found_total: (found += 50),
      }),
    })
    await admin.open('127.0.0.1:0')
    try {
      const io = new FakeIo(folder)
      const args = ['--from', admin.address, '--for', '50ms', '--nodes', '5', '--calibration', file]
      expect(await io.run('advise', ...args)).toBe(0)
      expect(io.out).toMatch(/^400 sessions of 500 B, 3,000 requests\/s, 0 % write 100 B; 5 nodes, /)
    } finally {
      await admin.close()
    }
  })

  test('cannot be had where nobody answers', async () => {
    const io = new FakeIo(folder)

    expect(await io.run('advise', '--from', '127.0.0.1:1', '--calibration', file)).toBe(69)
    expect(io.err).toBe('session-mesh: 127.0.0.1:1 is not reachable\n')
  })
})
