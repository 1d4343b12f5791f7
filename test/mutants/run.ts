/**
 * Plants each mutant, lets the simulator look for it, and prints who caught it and how many seeds that took. Ends with
 * 1 when one got away, or does not fit the code any more. `npm run mutants [-- text]`: those whose line has the text.
 */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { MUTANTS, type Mutant } from './mutants.js'
import { planted } from './planted.js'

interface Outcome {
  readonly caughtBy: string | undefined
  readonly seeds: number
  readonly message: string
}

const FOLDER = join(import.meta.dirname, '../../dist/mutants')
/** Seeds that an equivalent mutant must survive. */
const EQUIVALENT_SEEDS = 20

/** In the worker: seeds until one fails that does not fail without the bug. */
const HUNT = `
  const { parentPort, workerData } = require('node:worker_threads')
  Promise.all([import(workerData.entry), import(workerData.original)]).then(([{ simulate }, original]) => {
    for (let seed = 1; seed <= workerData.within; seed++) {
      const { failure } = simulate({ seed })
      if (failure === undefined || original.simulate({ seed }).failure !== undefined) continue
      parentPort.postMessage({ caughtBy: failure.checker, seeds: seed, message: failure.message.split('\\n')[0] })
      return
    }
    parentPort.postMessage({ caughtBy: undefined, seeds: workerData.within, message: '' })
  })`

async function hunt(mutant: Mutant, name: string): Promise<Outcome> {
  const folder = join(FOLDER, name)
  cpSync(join(FOLDER, 'base/src'), join(folder, 'src'), {
    recursive: true,
    filter: (path) => !path.includes('/cli'),
  })
  try {
    for (const change of mutant.changes) {
      const path = join(folder, 'src', `${change.file}.js`)
      writeFileSync(path, planted(readFileSync(path, 'utf8'), change))
    }
    const entry = entryOf(folder)
    const original = entryOf(join(FOLDER, 'base'))
    const within = mutant.equivalent === undefined ? mutant.within : EQUIVALENT_SEEDS
    return await ask(new Worker(HUNT, { eval: true, workerData: { entry, original, within } }))
  } catch (error) {
    return { caughtBy: undefined, seeds: 0, message: error instanceof Error ? error.message : String(error) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function entryOf(folder: string): string {
  return pathToFileURL(join(folder, 'src/simulator/index.js')).href
}

async function ask(worker: Worker): Promise<Outcome> {
  try {
    return await new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
  } finally {
    await worker.terminate()
  }
}

async function main(only: string | undefined): Promise<number> {
  const chosen = MUTANTS.filter(({ rule, bug }) => only === undefined || `${rule} ${bug}`.includes(only))
  const todo = [...chosen.entries()]
  let escaped = 0
  const work = async (): Promise<void> => {
    for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
      const [index, mutant] = next
      const outcome = await hunt(mutant, `m${index}`)
      const { isRight, text } = judge(mutant, outcome)
      if (!isRight) escaped++
      process.stdout.write(`${isRight ? '✓' : '✗'} ${mutant.rule.padEnd(8)} ${mutant.bug.padEnd(74)} ${text}\n`)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  process.stdout.write(`${chosen.length - escaped} of ${chosen.length} as expected\n`)
  return escaped === 0 ? 0 : 1
}

function judge(
  mutant: Mutant,
  { caughtBy, seeds, message }: Outcome,
): { readonly isRight: boolean; readonly text: string } {
  if (caughtBy === undefined && mutant.equivalent !== undefined && seeds > 0) {
    return { isRight: true, text: `equivalent: ${mutant.equivalent}` }
  }
  if (caughtBy === undefined) return { isRight: false, text: message === '' ? `got away, ${seeds} seeds` : message }
  const isRight = mutant.equivalent === undefined
  return { isRight, text: `${caughtBy}, ${seeds} of ${mutant.within} seeds` }
}

process.exitCode = await main(process.argv[2])
