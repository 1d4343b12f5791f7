import { parentPort } from 'node:worker_threads'
import { simulate, type SimulationOptions } from '../../simulator/index.js'
import type { WorkerAnswer } from './pool.js'

/** One core's worth of simulation: a seed in, its result out. */
parentPort?.on('message', (options: SimulationOptions) => {
  const from = performance.now()
  const result = simulate(options)
  const answer: WorkerAnswer = { result, workMs: performance.now() - from }
  parentPort?.postMessage(answer)
})
