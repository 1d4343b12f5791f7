/**
 * Plants each mutant, and looks whether it is caught: by the test or the seed that it names, and where that seed
 * is no good any more, by any of the first. Ends with 1 when one got away, or does not fit the code any more, or a
 * rule has none.
 *
 * `npm run mutants -- [text] [--hunt]`: only those whose line has the text. `--hunt`: not the named seed first, but
 * 1, 2, 3, … Without a text the outcome is kept in bench/results/mutants.md.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Mutant, Outcome } from './mutant.js'
import { MUTANTS, rulesWithoutMutant } from './mutants.js'
import { huntSeeds } from './seeds.js'
import { document, line, summary, type Row } from './table.js'
import { runTests } from './tests.js'
import { ORIGINAL, withTree } from './tree.js'

const ROOT = join(import.meta.dirname, '../..')
const SEEDS_MAX = 100
const SEEDS = Array.from({ length: SEEDS_MAX }, (_, index) => index + 1)

async function main(words: readonly string[]): Promise<number> {
  const hunts = words.includes('--hunt')
  const only = words.find((word) => !word.startsWith('--'))
  const missing = rulesWithoutMutant(readFileSync(join(ROOT, 'PROTOCOL.md'), 'utf8'))
  if (missing.length > 0) process.stdout.write(`no mutant for ${missing.join(', ')}\n`)
  const chosen = MUTANTS.filter(({ rule, bug }) => only === undefined || `${rule} ${bug}`.includes(only))
  const isSound = await areTestsGreen(chosen)

  const rows = new Map<Mutant, Row>()
  const note = (mutant: Mutant, outcome: Outcome): void => {
    rows.set(mutant, { mutant, outcome })
    process.stdout.write(`${line({ mutant, outcome })}\n`)
  }
  // Vitest brings its own workers.
  await lookFor(chosen.filter(({ catcher }) => catcher.type === 'test'), 1, hunts, note)
  await lookFor(chosen.filter(({ catcher }) => catcher.type === 'seed'), availableParallelism(), hunts, note)

  const inOrder = chosen.flatMap((mutant) => rows.get(mutant) ?? [])
  process.stdout.write(`${summary(inOrder)}\n`)
  if (only === undefined) writeFileSync(join(ROOT, 'bench/results/mutants.md'), document(inOrder, commit()))
  const isCaught = inOrder.every(({ outcome }) => outcome.type === 'caught')
  return isSound && isCaught && missing.length === 0 ? 0 : 1
}

/** A test that is red without a bug catches nothing. */
async function areTestsGreen(mutants: readonly Mutant[]): Promise<boolean> {
  const files = new Set(mutants.flatMap(({ catcher }) => (catcher.type === 'test' ? [catcher.file] : [])))
  if (files.size === 0) return true
  const run = await runTests(ORIGINAL, [...files])
  if (run.type === 'red') process.stdout.write(`red without a bug: ${run.test}\n`)
  if (run.type === 'broken') process.stdout.write(`${run.reason}\n`)
  return run.type === 'green'
}

async function lookFor(
  mutants: readonly Mutant[],
  workers: number,
  hunts: boolean,
  note: (mutant: Mutant, outcome: Outcome) => void,
): Promise<void> {
  const todo = [...mutants.entries()]
  const work = async (): Promise<void> => {
    for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
      const [index, mutant] = next
      note(mutant, await outcomeOf(mutant, `${process.pid}-${index}`, hunts))
    }
  }
  await Promise.all(Array.from({ length: workers }, work))
}

async function outcomeOf({ catcher, changes }: Mutant, name: string, hunts: boolean): Promise<Outcome> {
  try {
    return await withTree(name, changes, (tree) => {
      if (catcher.type === 'test') return outcomeOfTest(tree, catcher.file)
      return huntSeeds(tree, hunts ? SEEDS : [catcher.seed, ...SEEDS.filter((seed) => seed !== catcher.seed)])
    })
  } catch (error) {
    return { type: 'got-away', reason: error instanceof Error ? error.message : String(error) }
  }
}

async function outcomeOfTest(tree: string, file: string): Promise<Outcome> {
  const run = await runTests(tree, [file])
  switch (run.type) {
    case 'red':
      return { type: 'caught', by: `“${run.test}”`, seed: undefined }
    case 'green':
      return { type: 'got-away', reason: `${file} is green` }
    case 'broken':
      return { type: 'got-away', reason: run.reason }
  }
}

function commit(): string {
  const command = ['describe', '--always', '--dirty', '--abbrev=10', '--exclude=*']
  return execFileSync('git', command, { cwd: ROOT, encoding: 'utf8' }).trim()
}

process.exitCode = await main(process.argv.slice(2))
