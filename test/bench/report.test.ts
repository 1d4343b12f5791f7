import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { GOALS, type Goal } from '../../bench/goals.js'
import { judge } from '../../bench/judge.js'
import { answers } from '../../bench/report/answers.js'
import { comparison } from '../../bench/report/comparison.js'
import { contentsOf } from '../../bench/report/contents.js'
import { quantity, spread } from '../../bench/report/format.js'
import { goalRows, missedOf, tallyInWords, tallyOf } from '../../bench/report/goal-table.js'
import { headline } from '../../bench/report/headline.js'
import { html, json } from '../../bench/report/html.js'
import { markdown } from '../../bench/report/markdown.js'
import { writeReadme } from '../../bench/report/readme.js'
import { writeReport } from '../../bench/report/report.js'
import { crossingInWords, meet, meetingOf } from '../../bench/report/sections/scale.js'
import type { BenchRun, Cell, Unit } from '../../bench/results.js'
import { VARIANTS } from '../../bench/variants.js'
import { cell, figure, madeUpRun } from './made-up-run.js'

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'session-mesh-report-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

describe('numbers', () => {
  test.each<readonly [value: number, unit: Unit, text: string]>([
    [142.4, 'us', '142 µs'],
    [0.16549, 'ms', '0.165 ms'],
    [1.08, 'ratio', '1.08 ×'],
    [52_341, '1/s', '52,341/s'],
    [450, 'B', '450 B'],
    [34_006_409, 'B', '34 MB'],
    [1_500_000, 'B/s', '1.5 MB/s'],
    [0, 'share', '0 %'],
    [1, 'share', '100 %'],
    [0.999_996, 'share', '> 99.999 %'],
    [0.000_001, 'share', '< 0.001 %'],
    [0.4567, 'share', '45.7 %'],
  ])('%d %s is told as %s', (value, unit, text) => {
    expect(quantity(value, unit)).toBe(text)
  })

  test('a figure of several rounds tells the least and the most, one of a single round does not', () => {
    expect(spread(figure(100, 'us', 0.1))).toBe('100 µs (90–110)')
    expect(spread({ ...figure(100, 'us'), rounds: [100] })).toBe('100 µs')
    expect(spread(figure(0.5, 'share', 0.1))).toBe('50 % (45–55)')
    expect(spread(figure(171, 'B', 0.1))).toBe('171 B (154–188)')
    expect(spread(figure(9_900, 'B', 0.1))).toBe('9,900 B (8,910 B–10.9 KB)')
  })
})

describe('goals', () => {
  const goal: Goal = {
    id: 'wire',
    sentence: 'Bytes for a change',
    limit: { atMost: 190 },
    unit: 'B',
    peer: 'Tomcat: 786 B',
    proof: { question: 'wire', variant: 'mesh-async', settings: {}, figure: 'bytesPerChange' },
  }
  const runOf = (...cells: readonly Cell[]): BenchRun => madeUpRun({ cells })
  const bytes = (median: number, more: Partial<Cell> = {}): Cell => {
    return { ...cell('wire', 'mesh-async', { sessionBytes: median }, { bytesPerChange: figure(median, 'B', 0.1) }), ...more }
  }

  test('are met when every cell keeps the limit, and missed by the worst', () => {
    expect(judge(runOf(bytes(150), bytes(160)), [goal])).toMatchObject([{ type: 'met', figure: { median: 160 } }])
    expect(judge(runOf(bytes(150), bytes(300)), [goal])).toMatchObject([{ type: 'missed', figure: { median: 300 } }])
  })

  test('at least means at least', () => {
    const atLeast = { ...goal, limit: { atLeast: 190 } }

    expect(judge(runOf(bytes(250), bytes(150)), [atLeast])).toMatchObject([{ type: 'missed', figure: { median: 150 } }])
  })

  test('are close when rounds say both', () => {
    expect(judge(runOf(bytes(185)), [goal])).toMatchObject([{ type: 'met', isClose: true }])
    expect(judge(runOf(bytes(100)), [goal])).toMatchObject([{ type: 'met', isClose: false }])
  })

  test.each(['void', 'wrong'] as const)('are not judged by a cell that is %s', (mark) => {
    expect(judge(runOf(bytes(100), bytes(110, { marks: [mark] })), [goal])).toMatchObject([{ type: 'not-measured' }])
  })

  test('that nothing measured say so, and why', () => {
    const empty = runOf()

    expect(judge({ ...empty, mode: 'quick' }, [goal])).toMatchObject([{ why: 'not measured in this quick run' }])
    expect(judge({ ...empty, partial: true }, [goal])).toMatchObject([
      { why: 'not measured before the run was interrupted' },
    ])
  })

  test('that no run can reach are neither met nor missed nor forgotten: tests hold them', () => {
    const held: Goal = { ...goal, id: 'held', proof: { command: 'npm test' } }
    const verdicts = judge(runOf(bytes(150)), [goal, held])

    expect(verdicts[1]).toEqual({ type: 'held', goal: held, command: 'npm test' })
    expect(tallyOf(verdicts)).toEqual({ met: 1, missed: 0, held: 1, unknown: 0 })
    expect(goalRows(verdicts).rows[1]?.cells.slice(2, 4)).toEqual(['not of a run: npm test', '– held by tests'])
  })

  test('are counted so that the counts add up', () => {
    for (const run of [madeUpRun(), runOf()]) {
      const verdicts = judge(run)
      const { met, missed, held, unknown } = tallyOf(verdicts)

      expect(met + missed + held + unknown).toBe(GOALS.length)
      const counts = [...tallyInWords(verdicts).matchAll(/\d+/g)].map(([count]) => Number(count))
      expect(counts).toEqual([GOALS.length, met, missed, unknown, held])
    }
  })

  test('that are missed by less than three digits tell all digits', () => {
    const { rows } = goalRows(judge(runOf(bytes(190.04)), [goal]))

    expect(rows[0]?.cells.slice(1, 4)).toEqual(['≤ 190 B', '190.04 B', '✗ missed, closely'])
  })

  test('name variants that exist, and have ids of their own', () => {
    const names = VARIANTS.map(({ name }) => name)
    const unknown = GOALS.flatMap(({ proof }) => ('variant' in proof && !names.includes(proof.variant) ? [proof.variant] : []))

    expect(unknown).toEqual([])
    expect(new Set(GOALS.map(({ id }) => id)).size).toBe(GOALS.length)
  })

  test('stand in a table without an empty cell, whatever was measured', () => {
    for (const run of [madeUpRun(), runOf()]) {
      const { head, rows } = goalRows(judge(run))

      expect(rows).toHaveLength(GOALS.length)
      for (const { cells } of rows) {
        expect(cells).toHaveLength(head.length)
        expect(cells.every((text) => text !== '' && !/NaN|undefined/.test(text))).toBe(true)
      }
    }
  })

  test('that are missed stand with the furthest first', () => {
    const verdicts = judge(runOf(bytes(200)), [goal, { ...goal, id: 'strict', limit: { atMost: 10 } }])

    expect(missedOf(verdicts).map((verdict) => verdict.goal.id)).toEqual(['strict', 'wire'])
  })
})

describe('the crossing point', () => {
  const flat = [[1, 100], [2, 100], [4, 100], [8, 100]] as const

  test('lies between the sizes at which the lines change places', () => {
    expect(meet([[1, 80], [2, 90], [4, 110], [8, 150]], flat)).toBe(3)
    expect(meet([[1, 80], [2, 82], [4, 84], [8, 86]], flat)).toBeUndefined()
    expect(meet([[1, 120], [2, 130]], flat)).toBeUndefined()
  })

  test('is told with what the single rounds say', () => {
    const run = madeUpRun()
    const meeting = meetingOf(run)

    expect(meeting.nodes).toBeCloseTo(6.14, 1)
    expect(meeting.rounds).toHaveLength(3)
    expect(crossingInWords(run)).toMatch(/^With 10 % writes, under full load, Redis takes less CPU than replication from 7 nodes on \(/)
    expect(crossingInWords(run, 0)).toBe('With 0 % writes, under full load, replication takes less CPU at every measured size, up to 8 nodes.')
    expect(crossingInWords(madeUpRun({ cells: [] }))).toContain('not measured')
  })
})

describe('the heat map', () => {
  const [{ heatMaps = [] } = {}] = contentsOf(madeUpRun()).sections
  const [heatMap, many] = heatMaps

  test('has a winner for every load, in words', () => {
    expect(heatMap?.rows.map(({ cells }) => cells.length)).toEqual([8, 8, 8, 8, 8, 8])
    const labels = heatMap?.rows.flatMap(({ cells }) => cells.map(({ label }) => label)) ?? []
    expect(labels.filter((label) => !/^(?:replicated|Redis), [\d.]+ × cheaper(?:, too close to call)?$/.test(label))).toEqual([])
  })

  test('is won by replication where few nodes write little, and by Redis where many write much', () => {
    const [first, last] = [heatMap?.rows[0]?.cells[0], heatMap?.rows.at(-1)?.cells.at(-1)]

    expect([first?.label, last?.label].map((label) => label?.split(',')[0])).toEqual(['replicated', 'Redis'])
    expect([first?.isClose, last?.isClose]).toEqual([false, false])
  })

  test('is pale where the predictions are not good enough', () => {
    const cells = heatMap?.rows.flatMap((row) => row.cells) ?? []

    expect(cells.filter(({ isClose }) => isClose).every(({ winner }) => winner.startsWith('≈'))).toBe(true)
    expect(cells.some(({ isClose }) => isClose)).toBe(true)
  })

  test('counts the memory of every copy', () => {
    const [least, most] = [heatMap, many].map((map) => Number.parseFloat(map?.rows[0]?.cells.at(-1)?.margin ?? ''))

    expect(most).toBeGreaterThan(least ?? Infinity)
  })
})

describe('the headline', () => {
  test('of a clean full run has no warning, that of any other says what to doubt', () => {
    const clean = madeUpRun({ cells: [] })

    expect(headline(clean).warnings).toEqual([])
    expect(headline({ ...clean, partial: true, mode: 'quick', dirty: true }).warnings.join(' ')).toMatch(
      /Interrupted.*quick run.*not committed/,
    )
  })

  test('counts the cells that are marked, failures first', () => {
    const marked = madeUpRun({
      cells: [
        cell('races', 'mesh-async', {}, {}, { marks: ['disturbed', 'void'] }),
        cell('races', 'mesh-redis', {}, {}, { marks: ['wrong'] }),
      ],
    })

    expect(headline(marked).warnings.map((text) => text.slice(0, 11))).toEqual(['1 cell with', '1 cell void', '1 cell dist'])
  })
})

describe('the three ways', () => {
  test('do not show the figure without stamps where the one with them is void', () => {
    const settings = { delayMs: 0, acks: 'async' }
    const cells = [
      cell('staleness', 'mesh-async', { ...settings, stamps: true }, {}, { marks: ['void'] }),
      cell('staleness', 'mesh-async', { ...settings, stamps: false }, { fresh0: figure(0.321, 'share') }),
    ]

    const row = comparison(madeUpRun({ cells })).rows.find(({ cells: [what] }) => what?.includes('with stamps'))

    expect(row?.cells[2]).toBe('not measured')
  })
})

describe('a run without data', () => {
  const empty = madeUpRun({ cells: [] })

  test('has every section, and each says what to run', () => {
    const { sections } = contentsOf(empty)

    expect(sections.map(({ id }) => id)).toEqual(contentsOf(madeUpRun()).sections.map(({ id }) => id))
    for (const { missing } of sections) expect(missing).toMatch(/^npm run bench -- --only \w/)
  })

  test('answers nothing, and says what would', () => {
    for (const { facts, missing } of answers(empty)) {
      expect(facts).toEqual([])
      expect(missing).toHaveLength(1)
    }
  })

  test('is written all the same', () => {
    const text = markdown(empty, contentsOf(empty))

    expect(text).not.toMatch(/NaN|undefined|Infinity/)
  })
})

describe('what is written', () => {
  test('are a page and a summary, called like the run', async () => {
    const dir = folder()

    const paths = await writeReport(madeUpRun(), dir)

    const name = join(dir, '2026-03-14-0926-0ff1ce5-full')
    expect(paths).toEqual([`${name}.html`, `${name}.md`])
    for (const path of paths) {
      const text = readFileSync(path, 'utf8').replace(/<script[^]*?<\/script>/g, '')
      expect(/NaN|undefined|\[object Object\]/.exec(text)).toBeNull()
    }
  })

  test('refers to nothing outside of the page', async () => {
    const [path = ''] = await writeReport(madeUpRun(), folder())
    const markup = readFileSync(path, 'utf8').replace(/<script[^]*?<\/script>/g, '')

    expect(markup).not.toMatch(/(?:src|href)="(?!#|data:)/)
    expect(markup).toMatch(/Content-Security-Policy" content="default-src &#39;none&#39;/)
  })

  test('cannot be broken out of by what a run says', async () => {
    const evil = '</script><img src=x onerror=alert(1)>"\'&'
    const run = madeUpRun({ cells: [cell('races', evil, { [evil]: evil }, {}, { notes: [evil] })], command: evil })

    const [path = ''] = await writeReport(run, folder())

    expect(readFileSync(path, 'utf8').includes('<img')).toBe(false)
    expect(html`<p title="${evil}">`.text).toBe(
      '<p title="&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;">',
    )
    expect(json(evil).text).not.toContain('<')
  })
})

describe('the place in a README', () => {
  test('is filled, again and again, and nothing else is touched', async () => {
    const path = join(folder(), 'README.md')
    writeFileSync(path, '# A\n\n<!-- bench:begin -->\nold\n<!-- bench:end -->\n\nend\n')

    await writeReadme(madeUpRun(), path)
    const once = readFileSync(path, 'utf8')
    await writeReadme(madeUpRun(), path)

    expect(readFileSync(path, 'utf8')).toBe(once)
    expect(once).toMatch(/^# A\n\n<!-- bench:begin -->\n\n2026-03-14 09:26 UTC, commit 0ff1ce5/)
    expect(once).toMatch(/\n<!-- bench:end -->\n\nend\n$/)
    expect(once).not.toContain('old')
  })

  test.each(['nothing', '<!-- bench:begin -->', '<!-- bench:end --> <!-- bench:begin -->'])(
    'that is marked by %s is refused, and the file stays',
    async (text) => {
      const path = join(folder(), 'README.md')
      writeFileSync(path, text)

      await expect(writeReadme(madeUpRun(), path)).rejects.toThrow('<!-- bench:end --> on lines of their own')
      expect(readFileSync(path, 'utf8')).toBe(text)
    },
  )
})
