import { describe, expect, test } from 'vitest'
import { readArguments, type BenchArguments } from '../../bench/arguments.js'
import { Progress } from '../../bench/progress.js'
import { QUESTIONS } from '../../bench/questions/all.js'
import { stepsOf, type Step } from '../../bench/run.js'
import { VARIANTS } from '../../bench/variants.js'
import { BENCH_FLAGS } from '../../src/cli/bench/flags.js'

/** Measured divided by planned, of whole runs on two quiet cores: processes that start, windows that are repeated. */
const SLOWER = 1.3

function optionsOf(...args: readonly string[]): BenchArguments {
  const options = readArguments(args, { questions: QUESTIONS, variants: VARIANTS })
  if (options === 'help') throw new Error('help')
  return options
}

function planned(...args: readonly string[]): readonly Step[] {
  const { mode, only, nodes, windowSeconds, rounds, seed } = optionsOf(...args)
  const plan = QUESTIONS.filter(({ name }) => only.includes(name)).map((question) => {
    return { question, trials: question.plan({ mode, variants: VARIANTS, chosen: false, nodes, windowSeconds }) }
  })
  return stepsOf(plan, rounds, seed)
}

function minutesOf(...args: readonly string[]): number {
  return (planned(...args).reduce((sum, { trial }) => sum + trial.seconds, 0) * SLOWER) / 60
}

/** What `--help` says of a mode: `about 50 minutes`. */
function saidOf(flag: string, pattern: RegExp): number {
  const [, description = ''] = BENCH_FLAGS.find(([name]) => name === flag) ?? []
  return Number(pattern.exec(description)?.[1])
}

describe('the time that is planned', () => {
  test('for a quick run leaves a part of the five minutes that it may take', () => {
    expect(saidOf('--quick', /at most (\d+) minutes/)).toBe(5)
    expect(minutesOf('--quick')).toBeLessThan(4.25)
  })

  test('for the others is about what --help says', () => {
    const [full, standard] = [saidOf('--full', /about (\d+) minutes/), saidOf('--full', /without either: about (\d+)/)]

    expect(Math.abs(minutesOf('--full') / full - 1)).toBeLessThan(0.2)
    expect(Math.abs(minutesOf() / standard - 1)).toBeLessThan(0.25)
  })

  test('is told before the first trial, and grows when trials take longer', () => {
    const steps = planned('--quick')
    const told: string[] = []
    let nowMs = 0
    const options = { write: (text: string) => void told.push(text), isTerminal: false, hasColor: false, nowMs: () => nowMs }
    const progress = new Progress(steps, options)
    const [first] = steps
    if (first === undefined) throw new Error('nothing is planned')

    progress.began(first)
    const seconds = progress.secondsLeft()
    nowMs += first.trial.seconds * 2_000
    progress.measured(first)

    expect(told[0]).toMatch(/^1\/\d+ \S+ \S+, round 1, \d:\d\d min left\n$/)
    expect(progress.secondsLeft()).toBeCloseTo((seconds - first.trial.seconds) * 2, 3)
  })
})
