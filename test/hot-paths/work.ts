/**
 * How much work an operation is, without a clock: how often the blocks of our code run, and how many bytes it takes
 * from the heap, as V8 counts them. Equal inputs give equal numbers, on a busy machine too: code is not optimised while
 * a meter is open, since what V8 makes faster it no longer counts.
 */
import { Session } from 'node:inspector/promises'
import { setFlagsFromString } from 'node:v8'

export interface Work {
  /** Runs of functions, and of blocks within them, in files of src/. */
  readonly blocks: number
  /** Bytes that were allocated on the heap of JavaScript. */
  readonly bytes: number
}

const OURS = /\/src\//
const TIMES = 100

export class WorkMeter {
  readonly #session = new Session()

  async open(): Promise<void> {
    setFlagsFromString('--no-opt')
    this.#session.connect()
    await this.#session.post('Profiler.enable')
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
    await this.#session.post('HeapProfiler.enable')
  }

  close(): void {
    this.#session.disconnect()
    setFlagsFromString('--opt')
  }

  /** Per operation, the mean of many. What has to be set up before is the caller's. */
  async measure(operation: () => void): Promise<Work> {
    repeat(operation)
    return { blocks: await this.#blocksOf(operation), bytes: await this.#bytesOf(operation) }
  }

  async #blocksOf(operation: () => void): Promise<number> {
    await this.#session.post('Profiler.takePreciseCoverage')
    repeat(operation)
    const { result } = await this.#session.post('Profiler.takePreciseCoverage')
    const ours = result.filter(({ url }) => OURS.test(url)).flatMap(({ functions }) => functions)
    const runs = ours.flatMap(({ ranges }) => ranges.map(({ count }) => count))
    return runs.reduce((sum, count) => sum + count, 0) / TIMES
  }

  async #bytesOf(operation: () => void): Promise<number> {
    await this.#session.post('HeapProfiler.startSampling', {
      samplingInterval: 1,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    })
    repeat(operation)
    const { profile } = await this.#session.post('HeapProfiler.stopSampling')
    return sizeOf(profile.head) / TIMES
  }
}

function repeat(operation: () => void): void {
  for (let i = 0; i < TIMES; i++) operation()
}

interface Allocations {
  readonly selfSize: number
  readonly children: readonly Allocations[]
}

function sizeOf({ selfSize, children }: Allocations): number {
  return selfSize + children.reduce((sum, child) => sum + sizeOf(child), 0)
}
