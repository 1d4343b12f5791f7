import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Outcome } from './mutant.js'
import { ORIGINAL } from './tree.js'

/** In a worker: seeds until one fails that does not fail without the bug. */
const HUNT = `
  const { parentPort, workerData } = require('node:worker_threads')
  Promise.all([import(workerData.entry), import(workerData.original)]).then(([{ simulate }, original]) => {
    for (const seed of workerData.seeds) {
      const { failure } = simulate({ seed })
      if (failure === undefined || original.simulate({ seed }).failure !== undefined) continue
      parentPort.postMessage({ type: 'caught', by: failure.checker, seed })
      return
    }
    parentPort.postMessage({ type: 'got-away', reason: workerData.seeds.length + ' seeds' })
  })`

/** Simulates the built tree with one seed after another until a checker sees a broken promise. */
export async function huntSeeds(tree: string, seeds: readonly number[]): Promise<Outcome> {
  const workerData = { entry: entryOf(tree), original: entryOf(ORIGINAL), seeds }
  const worker = new Worker(HUNT, { eval: true, workerData })
  try {
    return await new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
  } finally {
    await worker.terminate()
  }
}

function entryOf(tree: string): string {
  return pathToFileURL(join(tree, 'simulator/index.js')).href
}
