/** What the advisor says of loads that it was not fitted to, beside what was measured of them. */
import type { Calibration } from '../../../src/advisor/calibrate.js'
import type { Quantity } from '../../../src/advisor/kinds.js'
import { isKept, PROMISED, ratioOf, type Judged } from '../../../src/advisor/miss.js'
import type { Mark } from '../../results.js'
import { number, quantity as withUnit } from '../format.js'
import { labelOf, settingsInWords } from '../names.js'
import type { Row, Table } from '../section.js'

interface Kept {
  readonly quantity: Quantity
  readonly title: string
  readonly format: (value: number) => string
}

const SHOWN: readonly Kept[] = [
  { quantity: 'cpu', title: 'CPU of all nodes', format: (cores) => `${number(cores)} cores` },
  { quantity: 'p99', title: '99 % of requests', format: (ms) => withUnit(ms, 'ms') },
  { quantity: 'memory', title: 'memory of a node', format: (bytes) => withUnit(bytes, 'B') },
]

/** One sentence for each quantity that could be judged. */
export function judgedInWords({ heldOut, misses }: Calibration): readonly string[] {
  return SHOWN.filter(({ quantity }) => heldOut[quantity].length > 0).map(({ quantity, title }) => {
    const { kept, heldOut: all } = misses[quantity]
    const off = heldOut[quantity].map(ratioOf)
    const range = `${number(Math.min(...off))} to ${number(Math.max(...off))} times what was predicted`
    return `${title}: ${kept} of ${all} loads that nothing was fitted to were within ${promise(quantity)}; they were ${range}.`
  })
}

export function judgedTable({ heldOut }: Calibration): Table {
  return {
    caption: 'Predicted, and then measured: loads that nothing was fitted to; of memory, each predicted from the others',
    head: ['', 'under', 'what', 'predicted', 'measured', 'measured/predicted', 'promised'],
    rows: SHOWN.flatMap((shown) => heldOut[shown.quantity].map((judged) => rowOf(shown, judged))),
  }
}

function rowOf({ quantity, title, format }: Kept, judged: Judged): Row {
  const { cell, predicted, measured } = judged
  const { heldOut: _, ...settings } = cell.settings
  const verdict = `${isKept(quantity, judged) ? '✓' : '✗'} ${promise(quantity)}`
  return {
    cells: [
      labelOf(cell.variant),
      settingsInWords(settings),
      title,
      format(predicted),
      format(measured),
      withUnit(ratioOf(judged), 'ratio'),
      verdict,
    ],
    marks: cell.marks.filter(isDoubt),
    notes: [],
  }
}

function promise(quantity: Quantity): string {
  return `±${PROMISED[quantity] * 100} %`
}

function isDoubt(mark: string): mark is Mark {
  return mark === 'disturbed'
}
