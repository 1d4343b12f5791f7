import { Worker } from 'node:worker_threads'
import type { SeedResult, SimulationOptions } from '../../simulator/index.js'

export interface WorkerAnswer {
  readonly result: SeedResult
  readonly workMs: number
}

const ENTRY = new URL('./worker.js', import.meta.url)

/** Simulates seeds on several cores. Answers come as they are ready; `next` says what to do when a core is free. */
export async function runOnCores(
  cores: number,
  next: () => SimulationOptions | undefined,
  done: (answer: WorkerAnswer) => void,
): Promise<void> {
  await Promise.all(Array.from({ length: cores }, () => runOnCore(next, done)))
}

async function runOnCore(
  next: () => SimulationOptions | undefined,
  done: (answer: WorkerAnswer) => void,
): Promise<void> {
  const worker = new Worker(ENTRY)
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
