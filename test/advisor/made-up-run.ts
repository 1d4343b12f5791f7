/** A run of the benchmark on a machine that does not exist, whose every coefficient is known. */
import { predict, total, type FittedLaw, type Law } from '../../src/advisor/law.js'
import { CENTRAL_CPU, CENTRAL_TRAFFIC, MEMORY, P99, REPLICATED_CPU, REPLICATED_TRAFFIC, STORE_CPU } from '../../src/advisor/laws.js'
import type { Acks, Load } from '../../src/advisor/load.js'
import type { RunCell, RunFile } from '../../src/advisor/run-file.js'

const us = 1e-6
const SHAPES = [['256B', 256, 1], ['1KB', 1_000, 10], ['4KB', 4_000, 10]] as const

/** In the order of the laws' terms. */
export const TRUTH = {
  replicatedCpu: [100 * us, 130 * us, 20 * us, 15 * us, 0.002 * us, 5 * us, 500 * us, 0.004],
  replicatedTraffic: [80, 1, 20, 60, 12],
  redisCpu: [180 * us, 0.01 * us, 90 * us, 0.02 * us, 500 * us, 0.003],
  redisServerCpu: [20 * us, 0.001 * us, 15 * us, 0.002 * us, 0, 0],
  redisTraffic: [200, 1.1, 150, 1.2],
  p99: [0.8, 1.5],
  copies: [400, 1.1, 12e6, 25],
  redisMemory: [300, 1.3, 5e5, 100],
} as const

export interface Noise {
  /** Every figure is multiplied by what this answers. */
  readonly factor: () => number
}

export function madeUpRun({ factor }: Noise = { factor: () => 1 }): RunFile {
  const cells = [...grid(), ...others()].flatMap(({ load, heldOut }) => [
    replicated(load, heldOut, factor),
    redis(load, heldOut, factor),
  ])
  const sizes = [10_000, 100_000].flatMap((sessions) => SHAPES.flatMap(([shape, bytes, attributes]) => {
    const of: Load = { sessions, bytes, changeBytes: bytes / attributes, rate: 0, writes: 0, nodes: 0, rttMs: 0, acks: 'async' }
    const each = (coefficients: readonly number[]): number => (valueOf(MEMORY, coefficients, of) / sessions) * factor()
    return [
      cellOf('memory', 'mesh-async', { sessions, shape }, { rssPerSession: each(TRUTH.copies) }),
      cellOf('memory', 'mesh-redis', { sessions, shape }, { rssPerSession: each(TRUTH.redisMemory) }),
    ]
  }))
  const visible = cellOf('replication', 'mesh-async', {}, { visibleP50: 150 })
  return {
    format: 1,
    startedAt: '2026-01-02T03:04:05.000Z',
    commit: 'abc1234',
    dirty: false,
    machine: { cpu: 'Difference Engine', cores: 2, node: 'v20.0.0', redis: '7.0.0' },
    cells: [...cells, ...sizes, visible],
  }
}

interface Planned {
  readonly load: Load
  readonly heldOut: boolean
}

function* grid(): Generator<Planned> {
  for (const nodes of [1, 3, 5]) {
    for (const changeBytes of [100, 1_000]) {
      for (const writes of [0.1, 0.6]) {
        for (const rate of [300, 1_200]) {
          for (const acks of ['async', 'quorum'] as const) yield planned({ nodes, changeBytes, writes, rate, acks }, false)
        }
      }
    }
  }
}

function* others(): Generator<Planned> {
  for (const nodes of [2, 4]) {
    for (const changeBytes of [200, 400]) {
      yield planned({ nodes, changeBytes, writes: 0.3, rate: 700, acks: 'async' }, true)
    }
  }
}

function planned(load: Pick<Load, 'nodes' | 'changeBytes' | 'writes' | 'rate' | 'acks'>, heldOut: boolean): Planned {
  return { load: { ...load, bytes: 10 * load.changeBytes, sessions: 600, rttMs: 0 }, heldOut }
}

/** What a law with these coefficients comes to. */
export function valueOf<S>(law: Law<S>, coefficients: readonly number[], setting: S): number {
  const fitted: FittedLaw<S> = { law, coefficients, sources: [] }
  return total(predict(fitted, setting))
}

function replicated(load: Load, heldOut: boolean, factor: () => number): RunCell {
  const cpu = valueOf(REPLICATED_CPU, TRUTH.replicatedCpu, load)
  const variants: Partial<Record<Acks, string>> = { async: 'mesh-async', quorum: 'mesh-quorum' }
  return cellOf('calibration', variants[load.acks] ?? 'mesh-async', settingsOf(load, heldOut), {
    cpuPerRequest: (cpu / load.rate / us) * factor(),
    bytesPerRequest: (valueOf(REPLICATED_TRAFFIC, TRUTH.replicatedTraffic, load) / load.rate) * factor(),
    p99: valueOf(P99, TRUTH.p99, { busy: cpu }) * factor(),
    rate: load.rate,
  })
}

function redis(load: Load, heldOut: boolean, factor: () => number): RunCell {
  const cpu = valueOf(CENTRAL_CPU, TRUTH.redisCpu, load)
  const server = valueOf(STORE_CPU, TRUTH.redisServerCpu, load)
  return cellOf('calibration', 'mesh-redis', settingsOf(load, heldOut), {
    cpuPerRequest: (cpu / load.rate / us) * factor(),
    redisCpuPerRequest: (server / load.rate / us) * factor(),
    bytesPerRequest: (valueOf(CENTRAL_TRAFFIC, TRUTH.redisTraffic, load) / load.rate) * factor(),
    p99: valueOf(P99, TRUTH.p99, { busy: cpu + server }) * factor(),
    rate: load.rate,
  })
}

function settingsOf({ nodes, bytes, changeBytes, sessions, writes, rate }: Load, heldOut: boolean): RunCell['settings'] {
  return { nodes, sessionBytes: bytes, changeBytes, sessions, writes, rate, heldOut }
}

function cellOf(
  question: string,
  variant: string,
  settings: RunCell['settings'],
  figures: Readonly<Record<string, number>>,
): RunCell {
  const medians = Object.entries(figures).map(([name, median]) => [name, { median }] as const)
  return { question, variant, settings, figures: Object.fromEntries(medians), marks: [] }
}
