import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import type { SeedResult, SimulationOptions } from '../../simulator/index.js'

export interface WorkerAnswer {
  readonly result: SeedResult
  readonly workMs: number
}

const ENTRY = new URL('./worker.js', import.meta.url)
/**
 * A simulation makes 400 MB of objects and keeps a few. The more room there is for new ones, the more of them are dead
 * when it is full, and cost nothing: with 64 MB to fill instead of 16 there is a quarter of the collections. Three times
 * that is the young generation, in Node's way of counting.
 */
const NEW_OBJECTS_MB = 64
const YOUNG_GENERATION_MB = 3 * NEW_OBJECTS_MB

/** Simulates seeds on several cores. Answers come as they are ready; `next` says what to do when a core is free. */
export async function runOnCores(
  cores: number,
  next: () => SimulationOptions | undefined,
  done: (answer: WorkerAnswer) => void,
): Promise<void> {
  // Every core has a simulation of its own: one that collects with helpers waits for the others.
  setFlagsFromString('--no-parallel-scavenge')
  setFlagsFromString(`--min-semi-space-size=${NEW_OBJECTS_MB}`)
  await Promise.all(Array.from({ length: cores }, () => runOnCore(next, done)))
}

async function runOnCore(
  next: () => SimulationOptions | undefined,
  done: (answer: WorkerAnswer) => void,
): Promise<void> {
  const worker = new Worker(ENTRY, { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB } })
  try {
    for (let options = next(); options !== undefined; options = next()) done(await ask(worker, options))
  } finally {
    await worker.terminate()
  }
}

async function ask(worker: Worker, options: SimulationOptions): Promise<WorkerAnswer> {
  return await new Promise((resolve, reject) => {
    const settle = (): void => {
      worker.off('message', onMessage)
      worker.off('error', onError)
    }
    const onMessage = (answer: WorkerAnswer): void => {
      settle()
      resolve(answer)
    }
    const onError = (error: unknown): void => {
      settle()
      reject(error instanceof Error ? error : new Error(String(error)))
    }
    worker.on('message', onMessage)
    worker.on('error', onError)
    worker.postMessage(options)
  })
}
