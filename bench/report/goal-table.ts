/** The goals and what became of them, as a table without an empty cell. */
import type { Goal } from '../goals.js'
import type { Judged, Verdict } from '../judge.js'
import type { Figure } from '../results.js'
import { exact, quantity, spread } from './format.js'
import type { Table } from './section.js'

export interface Tally {
  readonly met: number
  readonly missed: number
  /** By tests, which no run of the benchmark runs. */
  readonly held: number
  readonly unknown: number
}

export function tallyOf(verdicts: readonly Verdict[]): Tally {
  const count = (type: Verdict['type']): number => verdicts.filter((verdict) => verdict.type === type).length
  return { met: count('met'), missed: count('missed'), held: count('held'), unknown: count('not-measured') }
}

/** Those that are furthest from their limits first. */
export function missedOf(verdicts: readonly Verdict[]): readonly Judged[] {
  const missed = verdicts.flatMap((verdict) => (verdict.type === 'missed' ? [verdict] : []))
  return missed.toSorted((a, b) => times(b) - times(a))
}

/** How many times the limit; a limit of nothing is missed infinitely. */
function times({ goal: { limit }, figure: { median } }: Judged): number {
  return 'atMost' in limit ? median / limit.atMost : limit.atLeast / median
}

/** `Of 48 goals 8 are met, …`: they add up. */
export function tallyInWords(verdicts: readonly Verdict[]): string {
  const { met, missed, held, unknown } = tallyOf(verdicts)
  const counted = `Of ${verdicts.length} goals ${met} are met, ${missed} missed, ${unknown} not measured in this run`
  return held === 0 ? `${counted}.` : `${counted}; the other ${held} are right or wrong, and held by tests.`
}

export function goalRows(verdicts: readonly Verdict[]): Table {
  return {
    caption: 'Goals; the peers were measured on another day, on a machine with two cores',
    head: ['goal', 'limit', 'this run', 'verdict', 'best known peer'],
    rows: verdicts.map((verdict) => ({
      cells: [verdict.goal.sentence, limitOf(verdict.goal), figureIn(verdict), verdictIn(verdict), verdict.goal.peer],
      marks: isJudged(verdict) ? verdict.marks : [],
      notes: [],
    })),
  }
}

/** `1.31 × where at most 1.2 × was the goal`. */
export function limitInWords(goal: Goal, { median, unit }: Figure): string {
  return `${quantity(median, unit)}, the goal is ${limitOf(goal)}`
}

function limitOf({ limit, unit }: Goal): string {
  return 'atMost' in limit ? `≤ ${quantity(limit.atMost, unit)}` : `≥ ${quantity(limit.atLeast, unit)}`
}

function isJudged(verdict: Verdict): verdict is Judged {
  return verdict.type === 'met' || verdict.type === 'missed'
}

/** Missed by less than is told: `34 MB`, where at most 34 MB were the goal. */
function isRoundedAway({ goal: { limit, unit }, figure }: Judged): boolean {
  const bound = 'atMost' in limit ? limit.atMost : limit.atLeast
  return quantity(figure.median, figure.unit) === quantity(bound, unit)
}

function figureIn(verdict: Verdict): string {
  switch (verdict.type) {
    case 'met':
      return spread(verdict.figure)
    case 'missed':
      return isRoundedAway(verdict) ? exact(verdict.figure) : spread(verdict.figure)
    case 'held':
      return `not of a run: ${verdict.command}`
    case 'not-measured':
      return verdict.why
  }
}

function verdictIn(verdict: Verdict): string {
  switch (verdict.type) {
    case 'met':
      return verdict.isClose ? '✓ met, closely' : '✓ met'
    case 'missed':
      return verdict.isClose ? '✗ missed, closely' : '✗ missed'
    case 'held':
      return '– held by tests'
    case 'not-measured':
      return '– not measured'
  }
}
