/** Collects the samples of all rounds, and makes the cells of the result of them. Pure. */
import type { Curve, Question, Ratio, Sample, Settings, Trial } from '../question.js'
import type { Cell, Figure, Mark, Unit } from '../results.js'
import { figureOf } from './figures.js'

interface Open {
  readonly question: Question
  readonly variant: string
  readonly settings: Settings
  readonly rounds: Map<number, Sample>
}

export class Tally {
  readonly #cells = new Map<string, Open>()

  /** Notes what one run of a trial measured. */
  add(question: Question, trial: Trial, round: number, samples: readonly Sample[]): void {
    for (const sample of samples) {
      const { variant } = trial
      const { settings } = sample
      const key = keyOf(question.name, variant, settings)
      const cell = this.#cells.get(key) ?? { question, variant, settings, rounds: new Map<number, Sample>() }
      cell.rounds.set(round, sample)
      this.#cells.set(key, cell)
    }
  }

  /** Every cell that has been measured in at least one round. */
  cells(): readonly Cell[] {
    return [...this.#cells.values()].map((cell) => this.#close(cell))
  }

  #close({ question, variant, settings, rounds }: Open): Cell {
    const samples = [...rounds.values()]
    const counting = new Map([...rounds].filter(([, sample]) => !isVoid(sample)))
    const figures = { ...figuresOf(counting), ...this.#ratios(question, variant, settings, counting) }
    const marks = [...new Set(samples.flatMap((sample) => sample.marks ?? []))]
    return {
      question: question.name,
      variant,
      settings,
      figures,
      curves: curvesOf(counting),
      marks: counting.size === 0 ? marks : marks.filter((mark) => mark !== 'void'),
      notes: notesOf(rounds),
    }
  }

  /** Of each round in which both cells count: so that what the machine did to a round does not enter the ratio. */
  #ratios(question: Question, variant: string, settings: Settings, mine: Rounds): Record<string, Figure> {
    const figures: Record<string, Figure> = {}
    for (const ratio of question.ratios ?? []) {
      const other = ratio.to(variant, settings)
      const base = other && this.#cells.get(keyOf(question.name, other.variant, other.settings))
      if (base === undefined) continue
      const values = ratiosOf(ratio, mine, base.rounds)
      if (values.length > 0) figures[ratio.figure] = figureOf('ratio', values, base.variant)
    }
    return figures
  }
}

type Rounds = ReadonlyMap<number, Sample>

function ratiosOf({ of }: Ratio, mine: Rounds, base: Rounds): readonly number[] {
  return [...mine].flatMap(([round, sample]) => {
    const other = base.get(round)
    if (other === undefined || isVoid(other)) return []
    const [value, by] = [sample.figures[of]?.value, other.figures[of]?.value]
    return value === undefined || by === undefined || !(by > 0) ? [] : [value / by]
  })
}

function figuresOf(rounds: Rounds): Record<string, Figure> {
  const units = new Map<string, Unit>()
  for (const { figures } of rounds.values()) {
    for (const [name, { unit }] of Object.entries(figures)) units.set(name, unit)
  }
  const figures: Record<string, Figure> = {}
  for (const [name, unit] of units) {
    const values = [...rounds.values()].flatMap((sample) => sample.figures[name]?.value ?? [])
    figures[name] = figureOf(unit, values)
  }
  return figures
}

/** Those of the round whose first figure is the median (of an even number, the lower). */
function curvesOf(rounds: Rounds): Readonly<Record<string, Curve>> {
  const first = ({ figures }: Sample): number => Object.values(figures)[0]?.value ?? 0
  const sorted = [...rounds.values()].sort((a, b) => first(a) - first(b))
  return sorted[Math.ceil(sorted.length / 2) - 1]?.curves ?? {}
}

function notesOf(rounds: Rounds): readonly string[] {
  return [...rounds].flatMap(([round, sample]) => {
    const { notes = [] } = sample
    const which = `round ${round + 1}${isVoid(sample) ? ', void' : ''}`
    return notes.map((note) => `${which}: ${note}`)
  })
}

function isVoid({ marks = [] }: Sample): boolean {
  return marks.includes('void' satisfies Mark)
}

function keyOf(question: string, variant: string, settings: Settings): string {
  const sorted = Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([question, variant, sorted])
}
