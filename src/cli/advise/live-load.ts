/** The load of a running cluster, as one of its members counts it: two looks at its /metrics, some time apart. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Load } from '../../advisor/load.js'
import { CliError, Exit } from '../exit.js'

const DEADLINE_MS = 2_500

/** What the member's counters say; its requests stand for those of the others. */
export async function liveLoad(address: string, watchMs: number): Promise<Partial<Load>> {
  const before = await metricsOf(address)
  await sleep(watchMs)
  const after = await metricsOf(address)
  return loadBetween(before, after, watchMs)
}

type Metrics = ReadonlyMap<string, number>

/** Pure: what happened between two looks. Without requests nothing is known of their mix. */
export function loadBetween(before: Metrics, after: Metrics, passedMs: number): Partial<Load> {
  const now = (name: string): number => after.get(`session_mesh_${name}`) ?? 0
  const since = (name: string): number => now(name) - (before.get(`session_mesh_${name}`) ?? 0)
  const nodes = Math.max(now('members'), now('peers') + 1, 1)
  const found = since('http_sessions_found_total')
  const created = since('http_sessions_created_total')
  const commits = since('http_commits_total')
  const sessions = now('sessions')
  const requests = found + created
  return {
    nodes,
    sessions,
    ...(sessions > 0 ? { bytes: now('session_bytes') / sessions } : {}),
    ...(requests > 0 ? { rate: (requests * nodes * 1_000) / passedMs, writes: Math.min(1, commits / requests) } : {}),
  }
}

/** Every sample of the text format, by its name and labels. */
export function readMetrics(text: string): Metrics {
  const samples = [...text.matchAll(/^([a-z_]+(?:\{[^}]*\})?) (\S+)$/gm)]
  return new Map(samples.map(([, name = '', value]) => [name, Number(value)]))
}

async function metricsOf(address: string): Promise<Metrics> {
  const fail = (what: string): CliError => new CliError(Exit.unavailable, 'SESSION_MESH_UNAVAILABLE', `${address} ${what}`)
  const answer = await fetch(`http://${address}/metrics`, { signal: AbortSignal.timeout(DEADLINE_MS) }).catch(() => undefined)
  if (answer === undefined) throw fail('is not reachable')
  const metrics = readMetrics(await answer.text())
  if (!answer.ok || !metrics.has('session_mesh_sessions')) throw fail("is no member's admin.listen: it tells no metrics")
  return metrics
}
