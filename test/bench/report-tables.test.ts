import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { writeCalibration } from '../../bench/calibration-file.js'
import { comparison } from '../../bench/report/comparison.js'
import { contentsOf } from '../../bench/report/contents.js'
import { tableAsMarkdown } from '../../bench/report/markdown.js'
import { writeReport } from '../../bench/report/report.js'
import { NONE, remarksOf } from '../../bench/report/section.js'
import { fullTables, notesOf, tableOf } from '../../bench/report/tables.js'
import type { BenchRun, Cell } from '../../bench/results.js'
import { cell, figure, madeUpRun } from './made-up-run.js'

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'session-mesh-report-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

describe('the three ways, measured in several sizes', () => {
  const sizes = (variant: string, shape: string, counts: readonly number[]): readonly Cell[] =>
    counts.map((sessions) => cell('memory', variant, { sessions, shape }, { rssPerSession: figure(sessions / 100, 'B') }))
  const rowOf = (...cells: readonly Cell[]) =>
    comparison(madeUpRun({ cells })).rows.find(({ cells: [what] }) => what?.startsWith('memory'))?.cells

  test('are compared at the most sessions that all of them kept', () => {
    const row = rowOf(
      ...sizes('mesh-memory', '1KB', [10_000, 100_000, 1_000_000]),
      ...sizes('mesh-async', '1KB', [10_000, 1_000_000, 100_000]),
      ...sizes('mesh-redis', '1KB', [10_000, 100_000]),
    )

    expect(row).toEqual(['memory of each copy of a session (100,000 sessions, of 1 KB)', '1,000 B', '1,000 B', '1,000 B'])
  })

  test('are not compared where no size is the same', () => {
    const row = rowOf(...sizes('mesh-async', '1KB', [10_000]), ...sizes('mesh-redis', '1KB', [100_000]))

    expect(row?.slice(1)).toEqual(['not measured', 'not measured', 'not measured'])
  })
})

describe('the three ways, for a sceptic', () => {
  const rowsOf = (...cells: readonly Cell[]) => comparison(madeUpRun({ cells })).rows
  const costs = { cpuPerRequest: figure(400, 'us'), redisCpuPerRequest: figure(50, 'us') }

  test('tell the CPU of redis-server beside that of the nodes', () => {
    const row = rowsOf(cell('http-cost', 'mesh-redis', { workload: 'W', nodes: 3 }, costs)).find(({ cells: [what] }) => what?.includes('CPU per write'))

    expect(row?.cells[3]).toBe('400 µs, and 50 µs of redis-server')
  })

  test('say which of them a doubt is about', () => {
    const latency = (variant: string, marks: Cell['marks']): Cell =>
      cell('latency', variant, { nodes: 3, rate: 1_000 }, { p99: figure(4, 'ms') }, { marks })
    const row = rowsOf(latency('mesh-async', ['disturbed']), latency('mesh-redis', [])).find(({ cells: [what] }) => what?.startsWith('99 %'))

    expect(row).toMatchObject({ marks: ['disturbed'], notes: ['replicated: The machine did other work in every try.'] })
  })

  test('count what goes over the wire to and from Redis as well', () => {
    const bytes = (variant: string, each: number): Cell => cell('scale', variant, { nodes: 3 }, { bytesPerWrite: figure(each, 'B') })
    const row = rowsOf(bytes('mesh-async', 260), bytes('mesh-redis', 1_960)).find(({ cells: [what] }) => what?.startsWith('bytes on the wire'))

    expect(row?.cells.slice(1)).toEqual(['none are sent', '260 B', '1,960 B'])
  })
})

describe('what to doubt', () => {
  test('begins with how everything was set up, also where no cell is doubtful', async () => {
    const clean = madeUpRun({ cells: madeUpRun().cells.map((one) => ({ ...one, marks: [] })) })
    const [html = '', summary = ''] = await writeReport(clean, folder())
    const section = /<section id="doubts"[^]*?<\/section>/.exec(readFileSync(html, 'utf8'))?.[0]

    for (const text of [section, readFileSync(summary, 'utf8')]) {
      expect(text).toContain('servers and redis-server have 1 of its 2 cores, the load the rest')
      expect(text).toContain('without a replica and without persistence')
      expect(text).toMatch(/Of [\d.]+ ms, the p99 of Express and a Map, none is due to sessions/)
    }
    expect(section).not.toContain('<table')
  })
})

describe('what was predicted', () => {
  test('stands beside what was measured, with what is promised, load by load', () => {
    const [choice] = contentsOf(madeUpRun()).sections
    const [table] = choice?.tables ?? []

    expect(choice?.findings[0]).toMatch(/^CPU of all nodes: 6 of 6 loads that nothing was fitted to were within ±30 %; they were [\d.]+ to [\d.]+ times/)
    expect(table?.head).toEqual(['', 'under', 'what', 'predicted', 'measured', 'measured/predicted', 'promised'])
    expect(table?.rows.filter(({ cells }) => cells[2] === 'CPU of all nodes')).toHaveLength(6)
    expect(table?.rows.every(({ cells }) => cells[6]?.startsWith('✓'))).toBe(true)
  })
})

describe('tables', () => {
  const noted = (variant: string, notes: readonly string[], settings = {}): Cell =>
    cell('races', variant, { trials: 1_000, ...settings }, { lost: figure(0, 'share') }, { notes })

  test('say what all rows have in common above them, and in the rows what differs', () => {
    const alike = tableOf('Races', [noted('mesh-async', []), noted('mesh-redis', [])], [['lost', 'lost']])
    const unlike = tableOf('Races', [noted('mesh-async', [], { nodes: 1 }), noted('mesh-redis', [], { nodes: 2 })], [['lost', 'lost']])

    expect(alike).toMatchObject({ caption: 'Races (1,000 tries)', head: ['', 'lost'] })
    expect(unlike.head).toEqual(['', 'under', 'lost'])
    expect(unlike.rows.map(({ cells }) => cells[1])).toEqual(['1 node', '2 nodes'])
  })

  test('note each thing once, below, and say in which rounds it was', () => {
    const rows = [
      noted('mesh-async', ['round 1: slow', 'round 3: slow', 'round 2: wet']),
      noted('mesh-redis', ['round 1: slow', 'round 3: slow']),
    ]
    const table = tableOf('Races', rows, [['lost', 'lost']])

    expect(remarksOf(table)).toEqual(['rounds 1, 3: slow', 'round 2: wet'])
    const text = tableAsMarkdown(table)
    expect(text).toContain('| session-mesh, replicated<sup>1</sup> <sup>2</sup> |')
    expect(text.match(/rounds 1, 3: slow/g)).toHaveLength(1)
  })

  test('of one round do not number it', () => {
    const one = { ...noted('mesh-async', ['round 1: slow']), figures: { lost: { ...figure(0, 'share'), rounds: [0] } } }

    expect(notesOf(one)).toEqual(['slow'])
  })

  test('of everything have columns for what their own cells measured, and no raw names', () => {
    const tables = fullTables('replication', [
      cell('replication', 'mesh-async', {}, { cpuPeerIdle: figure(0.01, 'share') }),
      cell('replication', 'mesh-async', { nodes: 2 }, { noticedReset: figure(5, 'ms') }),
    ])

    expect(tables.map(({ head }) => head)).toEqual([['', 'CPU peer idle'], ['', 'noticed reset']])
    expect(tables.flatMap(({ rows }) => rows.flatMap(({ cells }) => cells))).not.toContain(NONE)
  })
})

describe('questions of a few figures each', () => {
  const section = (run: BenchRun, id: string) => contentsOf(run).sections.find((each) => each.id === id)

  test('have a table for what was measured together, without a hole in it', () => {
    const run = madeUpRun({
      cells: [
        cell('replication', 'mesh-async', { rate: 200 }, { visibleP50: figure(150, 'us'), visibleP99: figure(600, 'us') }),
        cell('replication', 'mesh-async', { workload: 'W' }, { cpuOrigin: figure(7, 'us'), cpuPeerIdle: figure(0.01, 'share') }),
        cell('replication', 'mesh-async', { nodes: 2 }, { unheardOf: figure(1, 'count') }),
      ],
    })
    const { tables = [], folded = [], bars = [] } = section(run, 'replication') ?? {}

    expect([...folded, ...tables].map(({ head }) => head.slice(1))).toEqual([
      ['median', '99 %'],
      ['CPU where it happens', 'a peer at rest, of a core'],
      ['unheard of'],
    ])
    expect([...folded, ...tables].flatMap(({ rows }) => rows.flatMap(({ cells }) => cells))).not.toContain(NONE)
    expect(bars.map(({ groups }) => groups.map(({ title }) => title))).toEqual([['median', '99 %']])
  })

  test('tell of cells that could not be measured', () => {
    const failed = cell('join', 'mesh-async', { sessions: 10_000 }, {}, { marks: ['void'], notes: ['round 1, void: no port'] })
    const { tables = [] } = section(madeUpRun({ cells: [failed] }), 'join') ?? {}

    expect(tables).toMatchObject([{ caption: 'Could not be measured (10,000 sessions)', rows: [{ marks: ['void'] }] }])
    expect(tables.flatMap(remarksOf)).toEqual(['round 1 (void): no port'])
  })
})

describe('reads that are all fresh', () => {
  test('are one line in a plot, and rows of their own in its table', () => {
    const [plot] = contentsOf(madeUpRun()).sections.find(({ id }) => id === 'staleness')?.plots ?? []

    expect(plot?.series.map(({ label }) => label)).toEqual([
      'every read is fresh: 3 variants, in the table',
      'session-mesh, replicated, no stamps',
    ])
    expect(plot?.table.rows).toHaveLength(4)
  })
})

describe('a run that did not calibrate', () => {
  const calibrated = { ...madeUpRun(), startedAt: '2026-03-13T08:00:00.000Z', commit: 'ca11b4a' }
  const plain = madeUpRun({ cells: madeUpRun().cells.filter(({ question }) => question !== 'calibration') })
  const choiceOf = async (dir: string): Promise<string> => {
    const [path = ''] = await writeReport(plain, dir)
    return /<section id="choice"[^]*?<\/section>/.exec(readFileSync(path, 'utf8'))?.[0] ?? ''
  }

  test('is predicted from the calibration that lies beside it, and that is said', async () => {
    const dir = folder()
    writeCalibration(calibrated, dir)

    const text = await choiceOf(dir)

    expect(text).toContain('10,000 sessions</h3>')
    expect(text).toContain('Not of this run: predicted from the calibration of 2026-03-13 08:00 UTC, commit ca11b4a')
    expect(contentsOf(madeUpRun()).sections[0]?.findings.join()).not.toContain('Not of this run')
  })

  test('says what to run where there is none', async () => {
    expect(await choiceOf(folder())).toContain('npm run bench -- --only calibration,memory')
  })
})
