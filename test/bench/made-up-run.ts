/**
 * A run that never was: every figure is made of its place in the list, to test what is made of runs. Not a
 * result.
 */
import type { BenchRun, Cell, Figure, Mark, QuestionName, Unit } from '../../bench/results.js'

export function figure(median: number, unit: Unit, spread = 0.05): Figure {
  const [min, max] = [median * (1 - spread), median * (1 + spread)]
  return { unit, median, min, max, rounds: [min, median, max] }
}

export function cell(
  question: QuestionName,
  variant: string,
  settings: Cell['settings'],
  figures: Cell['figures'],
  more: Partial<Pick<Cell, 'curves' | 'marks' | 'notes'>> = {},
): Cell {
  return { question, variant, settings, figures, curves: {}, marks: [], notes: [], ...more }
}

export function madeUpRun(changes: Partial<BenchRun> = {}): BenchRun {
  return {
    format: 1,
    startedAt: '2026-03-14T09:26:53.000Z',
    seconds: 1_753,
    mode: 'full',
    partial: false,
    seed: 42,
    commit: '0ff1ce5',
    dirty: false,
    command: 'npm run bench -- --full',
    machine: {
      cpu: 'Made-up CPU',
      cores: 2,
      memoryBytes: 8 * 2 ** 30,
      kernel: 'Linux 6.1',
      node: 'v20.20.2',
      redis: '7.0.15',
      packages: { express: '5.3.0', 'express-session': '1.19.0', 'connect-redis': '9.0.0' },
    },
    cells: [
      ...costs(),
      ...latencies(),
      ...staleReads(),
      ...scales(),
      ...memories(),
      ...others(),
      ...calibrations(),
    ],
    ...changes,
  }
}

const COSTS: Readonly<Record<string, number>> = {
  'floor': 120,
  'raw-http': 20,
  'es-memory': 205,
  'es-memorystore': 212,
  'es-connect-redis': 206,
  'mesh-memory': 134,
  'mesh-redis': 141,
  'mesh-tiered-behind': 138,
  'store-memory': 198,
}

function costs(): readonly Cell[] {
  const workloads = [['R', 1], ['W', 1.06], ['M', 1.01], ['C', 1.1]] as const
  const priced = (variant: string, nodes: number, cost: number): readonly Cell[] =>
    workloads.map(([workload, factor]) => {
      const { floor = 1 } = COSTS
      return cell('http-cost', variant, { workload, nodes }, {
        cpuPerRequest: figure(cost * factor, 'us'),
        cpuRatio: { ...figure(cost / floor, 'ratio', 0.01), to: 'floor' },
        cpuRatioToUnconnected: { ...figure(cost / 139, 'ratio', 0.01), to: 'mesh-memory' },
        cpuRatioToMemoryStore: { ...figure(cost / 205, 'ratio', 0.01), to: 'es-memory' },
        throughput: figure(1e6 / cost, '1/s'),
      })
    })
  return [
    ...Object.entries(COSTS).flatMap(([variant, cost]) => priced(variant, 1, cost)),
    ...priced('mesh-memory', 3, 139),
    ...priced('mesh-async', 3, 163),
  ]
}

const MEDIANS: Readonly<Record<string, number>> = {
  'floor': 0.12,
  'es-memory': 0.27,
  'es-connect-redis': 0.42,
  'mesh-memory': 0.14,
  'mesh-async': 0.17,
  'mesh-one': 0.31,
  'mesh-redis': 0.33,
  'mesh-tiered-behind': 0.18,
}

const SHARED = ['es-connect-redis', 'mesh-async', 'mesh-one', 'mesh-redis', 'mesh-tiered-behind']

function latencies(): readonly Cell[] {
  return Object.entries(MEDIANS).map(([variant, p50], i) => {
    const at = (share: number): number => p50 * (0.7 + 0.3 * Math.log2(1 / (1 - share)) ** (1 + i / 20))
    const shares = Array.from({ length: 60 }, (_, step) => 1 - 10 ** (-step / 15))
    return cell('latency', variant, { workload: 'M', rate: 1000, nodes: SHARED.includes(variant) ? 3 : 1 }, {
      p50: figure(at(0.5), 'ms'),
      p99: figure(at(0.99), 'ms'),
      p999: figure(at(0.999), 'ms', 0.3),
    }, { curves: { latency: shares.map((share) => [at(share), share] as const) } })
  })
}

function staleReads(): readonly Cell[] {
  const shares = (delayMs: number, lag: number): Cell['figures'] =>
    Object.fromEntries([0, 1, 2, 5, 10, 50].map((after) => {
      const fresh = lag === 0 ? 1 : 1 / (1 + Math.exp(lag + delayMs - after))
      return [`fresh${after}`, figure(fresh, 'share', 0)]
    }))
  return [0, 1, 10, 50].flatMap((delayMs) => [
    cell('staleness', 'mesh-async', { delayMs, acks: 'async', stamps: true }, {
      ...shares(delayMs, 0),
      waitP50: figure(delayMs, 'ms'),
      waitP99: figure(2 * delayMs, 'ms'),
    }),
    cell('staleness', 'mesh-async', { delayMs, acks: 'async', stamps: false }, shares(delayMs, 0.4)),
    cell('staleness', 'mesh-all', { delayMs, acks: 'all', stamps: false }, shares(delayMs, 0)),
    cell('staleness', 'mesh-redis', { delayMs, stamps: false }, shares(delayMs, 0)),
  ])
}

function scales(): readonly Cell[] {
  const mesh = (nodes: number, marks: readonly Mark[]): Cell => {
    const [write, bytes] = [140 + 22 * (nodes - 1), 170 * (nodes - 1) + 1]
    return cell('scale', 'mesh-async', { nodes }, sized(write, 130, bytes), { marks })
  }
  return [
    ...[1, 2, 3, 5, 8].flatMap((nodes) => [
      mesh(nodes, []),
      cell('scale', 'mesh-redis', { nodes }, sized(190, 137, 420)),
    ]),
    ...[10, 30, 100].map((nodes) => mesh(nodes, ['simulated', 'computed'])),
    ...[300, 1_000].map((nodes) => mesh(nodes, ['computed'])),
  ]
}

function sized(write: number, read: number, bytes: number): Cell['figures'] {
  return { cpuPerWrite: figure(write, 'us'), cpuPerRead: figure(read, 'us'), bytesPerWrite: figure(bytes, 'B') }
}

function memories(): readonly Cell[] {
  const sizes = { '256B': 256, '1KB': 1_024 } as const
  const overheads = {
    'es-memory': 460,
    'es-memorystore': 560,
    'mesh-memory': 150,
    'mesh-async': 170,
    'mesh-redis': 290,
  }
  return Object.entries(sizes).flatMap(([shape, bytes]) =>
    Object.entries(overheads).flatMap(([variant, overhead]) =>
      [10_000, 100_000, 1_000_000].map((sessions) => {
        const pauses = Array.from({ length: 12 }, (_, i) => [i * 2.5 + overhead / 400, (1 + (i % 4)) * overhead / 90] as const)
        return cell('memory', variant, { sessions, shape }, {
          rssPerSession: figure(bytes + overhead * (1 + 3e3 / sessions), 'B', 0.01),
          fullGc: figure((overhead * sessions) / 2e6, 'ms'),
        }, variant === 'mesh-redis' ? {} : { curves: { pauses } })
      }),
    ),
  )
}

function others(): readonly Cell[] {
  return [
    cell('replication', 'mesh-async', { nodes: 2, rate: 200 }, {
      visibleP50: figure(142, 'us'),
      visibleP99: figure(640, 'us', 0.2),
      deltasPerSecond: figure(412_000, '1/s'),
      cpuOrigin: figure(7.1, 'us'),
      cpuPeer: figure(4.4, 'us'),
    }, { marks: ['disturbed'], notes: ['redis-server of another user took 12 % of a core'] }),
    ...[1_000, 10_000].map((sessionBytes) =>
      cell('wire', 'mesh-async', { sessionBytes }, {
        bytesPerChange: figure(171, 'B', 0),
        bytesPerAccess: figure(0.4, 'B'),
      }),
    ),
    cell('join', 'mesh-async', { sessions: 10_000 }, { ready: figure(0.19, 's'), bytes: figure(2.9e6, 'B', 0) }),
    cell('join', 'mesh-async', { sessions: 100_000 }, { ready: figure(1.4, 's'), bytes: figure(29e6, 'B', 0) }),
    cell('races', 'es-memory', {}, { lost: figure(0.99, 'share', 0), revived: figure(1, 'share', 0) }),
    cell('races', 'es-connect-redis', {}, { lost: figure(0.93, 'share', 0), revived: figure(1, 'share', 0) }),
    cell('races', 'mesh-async', {}, { lost: figure(0, 'share', 0), revived: figure(0, 'share', 0) }),
    cell('races', 'store-mesh', {}, { lost: figure(0, 'share', 0), revived: figure(0, 'share', 0) }),
  ]
}

/** Loads on a machine where a peer costs 12 µs a write and a Redis 20 µs a request. */
function calibrations(): readonly Cell[] {
  const grid = [1, 3, 6].flatMap((nodes) =>
    [0.1, 0.6].flatMap((writes) => [300, 1_500].flatMap((rate) => [100, 900].map((changeBytes) => [nodes, writes, rate, changeBytes]))),
  )
  return grid.flatMap(([nodes = 1, writes = 0, rate = 0, changeBytes = 0], i) => {
    const settings = { nodes, writes, rate, changeBytes, sessionBytes: 1_000, sessions: 600, heldOut: i % 8 === 7 }
    const noise = 1 + ((i % 3) - 1) * 0.02
    const figures = (us: number, redis: number): Cell['figures'] => ({
      cpuPerRequest: figure(us * noise, 'us'),
      redisCpuPerRequest: figure(redis, 'us'),
      rate: figure(rate, '1/s'),
      p99: figure(0.4, 'ms'),
    })
    const own = 100 * (1 - writes) + 120 * writes
    return [
      cell('calibration', 'mesh-async', settings, figures(own + 12 * writes * (nodes - 1), 0)),
      cell('calibration', 'mesh-redis', settings, figures(own + 12, 8)),
    ]
  })
}
