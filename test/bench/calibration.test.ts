import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { writeCalibration } from '../../bench/calibration-file.js'
import { question } from '../../bench/questions/calibration.js'
import { question as memory, SHAPES } from '../../bench/questions/memory.js'
import type { Settings } from '../../bench/question.js'
import type { BenchRun, Cell } from '../../bench/results.js'
import { VARIANTS } from '../../bench/variants.js'
import { fit } from '../../src/advisor/fit.js'
import { KINDS, type Kind } from '../../src/advisor/kinds.js'
import { MEMORY } from '../../src/advisor/laws.js'
import { attributesOf, type Load } from '../../src/advisor/load.js'
import { loadOf as measuredLoad } from '../../src/advisor/measured-load.js'
import { readRunFile } from '../../src/advisor/run-file.js'
import { valueOf } from '../advisor/made-up-run.js'

const options = { chosen: false, nodes: undefined, windowSeconds: 1 }
const trials = question.plan({ ...options, mode: 'standard', variants: VARIANTS })

function loadsOf(kind: Kind, heldOut: boolean): readonly Load[] {
  const own = trials.filter(({ variant }) => variant in kind.variants)
  return own.flatMap(({ variant, cells }) => {
    return cells.filter((cell) => cell['heldOut'] === heldOut).map((cell) => loadOf(kind, variant, cell))
  })
}

function loadOf(kind: Kind, variant: string, settings: Settings): Load {
  const number = (name: string): number => Number(settings[name])
  const acks = kind.variants[variant] ?? 'async'
  const [bytes, changeBytes] = [number('sessionBytes'), number('changeBytes')]
  const [sessions, rate, writes, nodes] = [number('sessions'), number('rate'), number('writes'), number('nodes')]
  return { sessions, bytes, changeBytes, rate, writes, nodes, rttMs: 0, acks }
}

describe('the calibration', () => {
  const laws = KINDS.flatMap((kind) => [kind.cpu, kind.storeCpu].flatMap((law) => (law === undefined ? [] : [{ kind, law }])))

  test.each(laws)('of $kind.name measures loads that tell the terms of $law.name apart', ({ kind, law: { terms, ...rest } }) => {
    const loads = loadsOf(kind, false)
    const law = { ...rest, terms: terms.filter(({ of }) => loads.some((load) => of(load) > 0)) }
    // Coefficients as they are on a real machine: every term matters somewhere.
    const mean = (term: number): number => loads.reduce((sum, load) => sum + (law.terms[term]?.of(load) ?? 0), 0) / loads.length
    const truth = law.terms.map((_, term) => 1 / mean(term))
    const seen = loads.map((setting) => ({ setting, value: valueOf(law, truth, setting), source: '' }))

    fit(law, seen).coefficients.forEach((found, term) => expect(found / (truth[term] ?? 0)).toBeCloseTo(1, 6))
  })

  test.each(KINDS)('of $name has loads that nothing is fitted to, unlike those of the grid', (kind) => {
    const others = loadsOf(kind, true)

    expect(others.length).toBeGreaterThan(0)
    for (const { nodes, writes, rate } of others) {
      expect(loadsOf(kind, false).some((load) => load.nodes === nodes || load.writes === writes && load.rate === rate)).toBe(false)
    }
  })

  test('puts loads that are held out on several times, each time on other processes', () => {
    for (const { cells, rounds } of trials) expect(rounds).toBe(cells.every((cell) => cell['heldOut'] === true) ? 3 : 1)
  })

  test.each(['mesh-async', 'mesh-redis'])('fills %s with sessions that tell the terms of memory apart', (variant) => {
    const [kind] = KINDS
    if (kind === undefined) throw new Error('there are no kinds')
    const sizes = memory.plan({ ...options, mode: 'standard', variants: VARIANTS }).filter((trial) => trial.variant === variant)
    const loads = sizes.flatMap(({ cells }) => cells).map((settings) => {
      return measuredLoad({ question: 'memory', variant, settings: { ...settings }, figures: {}, marks: [] }, kind)
    })
    const truth = [400, 1.1, 12e6, 25]
    const seen = loads.map((setting) => ({ setting, value: valueOf(MEMORY, truth, setting), source: '' }))

    fit(MEMORY, seen).coefficients.forEach((found, term) => expect(found / (truth[term] ?? 0)).toBeCloseTo(1, 6))
  })

  test.each(Object.entries(SHAPES))('knows what sessions of %s consist of', (shape, { attributes, bytes }) => {
    const [kind] = KINDS
    const load = kind && measuredLoad({ question: 'memory', variant: 'mesh-async', settings: { shape }, figures: {}, marks: [] }, kind)

    expect(load).toMatchObject({ bytes: attributes * bytes, changeBytes: bytes })
    expect(load && attributesOf(load)).toBe(attributes)
  })

  test('leaves out what may not take part', () => {
    const variants = VARIANTS.filter(({ redis }) => !redis)
    const names = question.plan({ ...options, mode: 'full', variants }).map(({ variant }) => variant)

    expect([...new Set(names)]).toEqual(['mesh-async', 'mesh-quorum'])
  })
})

describe('the file for the advisor', () => {
  const cell: Cell = {
    question: 'calibration',
    variant: 'mesh-async',
    settings: { nodes: 1 },
    figures: { p99: { unit: 'ms', median: 1.234567, min: 1, max: 2, rounds: [1, 1.234567, 2] } },
    curves: { latency: [[1, 0.5]] },
    marks: ['disturbed'],
    notes: ['a note'],
  }
  const run: BenchRun = {
    format: 1,
    startedAt: '2026-01-02T03:04:05.000Z',
    seconds: 5,
    mode: 'full',
    partial: false,
    seed: 1,
    commit: 'abc1234',
    dirty: false,
    command: 'npm run bench',
    machine: { cpu: 'x', cores: 2, memoryBytes: 1, kernel: 'k', node: 'v20', redis: '', packages: {} },
    cells: [cell, { ...cell, question: 'races' }],
  }
  const write = (written: BenchRun): string | undefined => {
    const folder = mkdtempSync(join(tmpdir(), 'calibration-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const path = writeCalibration(written, folder)
    return path && readFileSync(path, 'utf8')
  }

  test('has the cells that it is fitted to, without what only a report shows', () => {
    const read = readRunFile(write(run) ?? '')

    expect(read).toMatchObject({ commit: 'abc1234', machine: { cpu: 'x', cores: 2 } })
    expect(typeof read === 'string' ? read : read.cells).toEqual([
      { question: 'calibration', variant: 'mesh-async', settings: { nodes: 1 }, figures: { p99: { median: 1.2346 } }, marks: ['disturbed'] },
    ])
  })

  test('is not made of a run that was interrupted, or did not calibrate', () => {
    expect(write({ ...run, partial: true })).toBeUndefined()
    expect(write({ ...run, cells: [{ ...cell, question: 'races' }] })).toBeUndefined()
  })
})
