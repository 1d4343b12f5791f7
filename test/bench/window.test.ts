import { describe, expect, test } from 'vitest'
import type { LoadResult } from '../../bench/load/load.js'
import { measureWindow, type Meter } from '../../bench/method/window.js'

const CORES = 2
const WINDOW_MS = 1_000

interface Try {
  /** CPU milliseconds that others use meanwhile. */
  readonly foreignMs: number
  readonly load?: Partial<LoadResult>
}

/** A machine on which the servers use 400 ms of each window, the load 300, and others what each try says. */
class FakeMachine {
  runs = 0
  readonly #tries: readonly Try[]
  #nowMs = 0
  #ownMs = { server: 0, redis: 0, relay: 0, generator: 0 }
  #machineMs = 5_000

  constructor(...tries: readonly Try[]) {
    this.#tries = tries
  }

  readonly meter: Meter = {
    cores: CORES,
    nowMs: () => this.#nowMs,
    cpu: async () => ({ machineMs: this.#machineMs, ownMs: { ...this.#ownMs } }),
  }

  readonly load = async (): Promise<LoadResult> => {
    const { foreignMs, load } = this.#tries[Math.min(this.runs, this.#tries.length - 1)] ?? { foreignMs: 0 }
    this.runs++
    this.#nowMs += WINDOW_MS
    this.#ownMs = { ...this.#ownMs, server: this.#ownMs.server + 400, generator: this.#ownMs.generator + 300 }
    this.#machineMs += 700 + foreignMs
    return { operations: 1_000, wrong: 0, failed: 0, seconds: 1, ...load }
  }
}

describe('a window', () => {
  test('tells what each kind of process used in it, and nothing of before', async () => {
    const machine = new FakeMachine({ foreignMs: 20 })
    await measureWindow(machine.meter, machine.load)

    const window = await measureWindow(machine.meter, machine.load)

    expect(window.cpuMs).toEqual({ server: 400, redis: 0, relay: 0, generator: 300 })
    expect(window.seconds).toBe(1)
    expect(window.foreignShare).toBeCloseTo(0.01)
  })

  test('that nothing disturbed is measured once and bears no mark', async () => {
    const machine = new FakeMachine({ foreignMs: 50 })

    const window = await measureWindow(machine.meter, machine.load, { intended: 1_000 })

    expect(machine.runs).toBe(1)
    expect(window.marks).toEqual([])
    expect(window.notes).toEqual([])
  })

  test('that other work disturbed is repeated until one is quiet, which then counts', async () => {
    const machine = new FakeMachine({ foreignMs: 400, load: { operations: 1 } }, { foreignMs: 10, load: { operations: 2 } })

    const window = await measureWindow(machine.meter, machine.load)

    expect(machine.runs).toBe(2)
    expect(window.load.operations).toBe(2)
    expect(window.marks).toEqual([])
  })

  test('is repeated twice at most; then the quietest counts, marked', async () => {
    const machine = new FakeMachine(
      { foreignMs: 500, load: { operations: 1 } },
      { foreignMs: 300, load: { operations: 2 } },
      { foreignMs: 400, load: { operations: 3 } },
      { foreignMs: 0 },
    )

    const window = await measureWindow(machine.meter, machine.load)

    expect(machine.runs).toBe(3)
    expect(window.load.operations).toBe(2)
    expect(window.marks).toEqual(['disturbed'])
    expect(window.notes).toEqual(['other work took 15.0 % of the machine in the quietest of 3 tries'])
  })

  test('is never called disturbed where the platform does not say what the machine does', async () => {
    const machine = new FakeMachine({ foreignMs: 2_000 })
    const cpu = async () => ({ ...(await machine.meter.cpu()), machineMs: undefined })

    const window = await measureWindow({ ...machine.meter, cpu }, machine.load)

    expect(window.foreignShare).toBe(0)
    expect(window.marks).toEqual([])
  })

  test.each([
    [900, []],
    [899, ['void']],
  ])('with %d of 1,000 intended operations has the marks %j', async (operations, marks) => {
    const machine = new FakeMachine({ foreignMs: 0, load: { operations } })

    const window = await measureWindow(machine.meter, machine.load, { intended: 1_000 })

    expect(window.marks).toEqual(marks)
  })

  test('with a wrong answer is wrong, even where a repetition had none', async () => {
    const machine = new FakeMachine({ foreignMs: 500, load: { wrong: 1 } }, { foreignMs: 0 })

    const window = await measureWindow(machine.meter, machine.load)

    expect(window.marks).toEqual(['wrong'])
    expect(window.notes).toEqual(['1 of 1000 answers were not the last acknowledged value'])
  })

  test('with a failed request is void', async () => {
    const machine = new FakeMachine({ foreignMs: 0, load: { failed: 3 } })

    const window = await measureWindow(machine.meter, machine.load)

    expect(window.marks).toEqual(['void'])
    expect(window.notes).toEqual(['3 requests failed'])
  })
})
