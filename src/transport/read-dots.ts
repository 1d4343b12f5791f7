import type { ContextEntry, Touch } from '../replica/events.js'
import type { Dot } from '../session/session.js'
import { count, counter, type Fields, list, refuseField, rows, time, word } from './fields.js'

/** The actors of a message, by place. */
export type Actors = readonly number[]

export function actorAt(fields: Fields, at: number, actors: Actors): number {
  return word(actors, fields, at, 'actor')
}

export function dotAt(fields: Fields, at: number, actors: Actors): Dot {
  return { actor: actorAt(fields, at, actors), counter: counter(fields, at + 1, 'counter') }
}

export function readDots(items: Fields, actors: Actors): Dot[] {
  return rows(items, 2, 'dots', (row, at) => dotAt(row, at, actors))
}

/** A floor may be 0: nothing forgotten yet. */
export function readFloor(items: Fields, actors: Actors): Dot[] {
  return rows(items, 2, 'floor', (row, at) => ({
    actor: actorAt(row, at, actors),
    counter: count(row, at + 1, 'counter'),
  }))
}

export function readRuns(items: Fields, actors: Actors): Dot[] {
  const dots: Dot[] = []
  for (let i = 0; i < items.length; i++) {
    const run = list(items, i, 'live')
    const { actor, counter: first } = dotAt(run, 0, actors)
    dots.push({ actor, counter: first })
    let last = first
    for (let at = 2; at < run.length; at++) {
      last += counter(run, at, 'live')
      if (!Number.isSafeInteger(last)) refuseField('live')
      dots.push({ actor, counter: last })
    }
  }
  return dots
}

export function readContext(items: Fields, actors: Actors): ContextEntry[] {
  return rows(items, 3, 'context', (row, at) => {
    const base = count(row, at + 1, 'base')
    const gaps = list(row, at + 2, 'extra')
    const extra: number[] = []
    let last = base
    for (let i = 0; i < gaps.length; i++) {
      last += counter(gaps, i, 'extra')
      if (!Number.isSafeInteger(last)) refuseField('extra')
      extra.push(last)
    }
    return { actor: actorAt(row, at, actors), base, extra }
  })
}

export function readTouches(items: Fields, actors: Actors): Touch[] {
  let last = 0
  return rows(items, 3, 'touches', (row, at) => {
    last = time(last, row, at + 2, 'at')
    return { birth: dotAt(row, at, actors), at: last }
  })
}
