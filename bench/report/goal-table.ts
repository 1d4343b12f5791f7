/** The goals and what became of them, as a table without an empty cell. */
import type { Goal } from '../goals.js'
import type { Judged, Verdict } from '../judge.js'
import type { Figure } from '../results.js'
import { quantity, spread } from './format.js'
import type { Table } from './section.js'

export interface Tally {
  readonly met: number
  readonly missed: number
  readonly unknown: number
}

export function tallyOf(verdicts: readonly Verdict[]): Tally {
  const count = (type: Verdict['type']): number => verdicts.filter((verdict) => verdict.type === type).length
  return { met: count('met'), missed: count('missed'), unknown: count('not-measured') }
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

export function goalRows(verdicts: readonly Verdict[]): Table {
  return {
    caption: 'Goals; the peers were measured on another day, on a machine with two cores',
    head: ['goal', 'limit', 'this run', 'verdict', 'best known peer'],
    rows: verdicts.map((verdict) => ({
      cells: [verdict.goal.sentence, limitOf(verdict.goal), figureIn(verdict), verdictIn(verdict), verdict.goal.peer],
      marks: verdict.type === 'not-measured' ? [] : verdict.marks,
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

function figureIn(verdict: Verdict): string {
  return verdict.type === 'not-measured' ? verdict.why : spread(verdict.figure)
}

function verdictIn(verdict: Verdict): string {
  switch (verdict.type) {
    case 'met':
      return verdict.isClose ? '✓ met, closely' : '✓ met'
    case 'missed':
      return verdict.isClose ? '✗ missed, closely' : '✗ missed'
    case 'not-measured':
      return '– not measured'
  }
}
