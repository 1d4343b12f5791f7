/** What `session-mesh advise` takes of a run: the cells that it is fitted to, without rounds and curves. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readRunFile, type RunFile } from '../src/advisor/run-file.js'
import type { BenchRun, Cell, QuestionName } from './results.js'

const QUESTIONS: readonly QuestionName[] = ['calibration', 'memory', 'replication']

/** Shipped with the package, so that advice can be had before anything was measured on one's own machine. */
const NAME = 'calibration.json'

/** Writes it beside the run, and answers where; undefined when the run did not calibrate, or not to its end. */
export function writeCalibration(run: BenchRun, folder: string): string | undefined {
  if (run.partial || !run.cells.some(({ question }) => question === 'calibration')) return undefined
  const path = join(folder, NAME)
  const lines = run.cells.filter(({ question }) => QUESTIONS.includes(question)).map((cell) => JSON.stringify(reduced(cell)))
  const { cells: _cells, ...frame } = run
  const head = JSON.stringify(frame).slice(0, -1)
  writeFileSync(path, `${head},"cells":[\n${lines.join(',\n')}\n]}\n`)
  return path
}

/** The one that was written into that folder last; undefined where there is none. */
export function readCalibration(folder: string): RunFile | undefined {
  const path = join(folder, NAME)
  const run = existsSync(path) ? readRunFile(readFileSync(path, 'utf8')) : undefined
  return typeof run === 'string' ? undefined : run
}

function reduced({ question, variant, settings, figures, marks }: Cell): object {
  const medians = Object.entries(figures).map(([name, { median }]) => [name, { median: Number(median.toPrecision(5)) }])
  return { question, variant, settings, figures: Object.fromEntries(medians), marks }
}
