import type { SessionBackend } from '../backend/backend.js'
import { helpFor, isCounter } from './metric-help.js'

/** Numbers by name, with labels in the name: `session_mesh_protocol_errors_total{rule="too-deep"}`. */
export type Metrics = Readonly<Record<string, number>>

/** What counts: the backend and its links, and every mounted middleware. */
export interface MetricSources {
  readonly backend: SessionBackend
  readonly counters: () => Metrics
  readonly startedAt: number
  readonly now: () => number
}

/** Everything that is counted on this node, in one record. Names ending in `_total` only grow. */
export function collectMetrics({ backend, counters, startedAt, now }: MetricSources): Metrics {
  const { sessions, bytes } = backend.size()
  const { ready, peers } = backend.health()
  return {
    session_mesh_sessions: sessions,
    session_mesh_session_bytes: bytes,
    session_mesh_ready: ready ? 1 : 0,
    session_mesh_peers: peers.length,
    session_mesh_peers_up: peers.filter((peer) => peer.state === 'up').length,
    session_mesh_uptime_seconds: Math.max(0, Math.round((now() - startedAt) / 1_000)),
    ...counters(),
    ...backend.counters(),
  }
}

/** The same in the text format of Prometheus (version 0.0.4). */
export function toPrometheus(metrics: Metrics): string {
  const families = new Map<string, string[]>()
  for (const [name, value] of Object.entries(metrics)) {
    const family = name.split('{', 1)[0] ?? name
    const lines = families.get(family) ?? []
    lines.push(`${name} ${formatNumber(value)}`)
    families.set(family, lines)
  }
  const blocks = [...families].map(([family, lines]) => {
    const help = helpFor(family)
    const head = help === undefined ? [] : [`# HELP ${family} ${help}`]
    return [...head, `# TYPE ${family} ${isCounter(family) ? 'counter' : 'gauge'}`, ...lines, ''].join('\n')
  })
  return blocks.join('')
}

function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  return Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf'
}
