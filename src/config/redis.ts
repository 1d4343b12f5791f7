/** What concerns only `backend: { type: 'redis' }`: where Redis is said to be, and the files that prove it. */
import type { Problem } from './problems.js'

/** Where Redis is, as the schema understands it. */
export interface RedisPlace {
  readonly url?: string | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly db?: number | undefined
  readonly sentinels?: readonly string[] | undefined
  readonly cluster?: readonly string[] | undefined
  readonly tls?: boolean | RedisTlsTexts | undefined
}

/** PEM texts, or paths of them. */
export interface RedisTlsTexts {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly servername?: string | undefined
}

const WAYS = ['url', 'host', 'sentinels', 'cluster'] as const

/** Whether a configuration says where Redis is; if not, the environment may. */
export function saysWhere(backend: Readonly<Record<string, unknown>>): boolean {
  return [...WAYS, 'port'].some((way) => backend[way] !== undefined)
}

/** `given`: the section as it was written, of which `place` is what was understood. */
export function checkRedis(
  given: Readonly<Record<string, unknown>>,
  place: RedisPlace,
  readFile: (path: string) => string,
): readonly Problem[] {
  return [...checkWays(given), ...checkDatabase(place), ...checkFiles(place, readFile)]
}

/** The same with PEM texts in place of paths. */
export function withTlsTexts<T extends RedisPlace>(place: T, readFile: (path: string) => string): T {
  const { tls } = place
  if (tls === undefined || typeof tls === 'boolean') return place
  const text = (value: string | undefined): string | undefined =>
    value === undefined || isPem(value) ? value : readFile(value)
  return { ...place, tls: { ...tls, ca: text(tls.ca), cert: text(tls.cert), key: text(tls.key) } }
}

function checkWays(given: Readonly<Record<string, unknown>>): readonly Problem[] {
  const [first, second] = WAYS.filter((way) => given[way] !== undefined)
  if (second !== undefined) {
    const problem = `cannot stand beside backend.${first}`
    return [{ path: ['backend', second], problem, expected: `one of ${WAYS.join(', ')}` }]
  }
  if (saysWhere(given)) return []
  const expected = `one of ${WAYS.join(', ')}`
  return [{ path: ['backend', 'url'], problem: 'missing', expected, hint: 'or set the environment variable REDIS_URL' }]
}

function checkDatabase({ cluster, db = 0 }: RedisPlace): readonly Problem[] {
  if (cluster === undefined || db === 0) return []
  return [{ path: ['backend', 'db'], problem: 'a Redis Cluster has database 0 only', expected: 'no db' }]
}

function checkFiles({ tls }: RedisPlace, readFile: (path: string) => string): readonly Problem[] {
  if (tls === undefined || typeof tls === 'boolean') return []
  return (['ca', 'cert', 'key'] as const).flatMap((option) => {
    const value = tls[option]
    if (value === undefined || isPem(value)) return []
    try {
      readFile(value)
      return []
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
      const problem = `cannot be read (${code})`
      return [{ path: ['backend', 'tls', option], problem, expected: 'a PEM text, or the path of one' }]
    }
  })
}

function isPem(text: string): boolean {
  return text.includes('-----BEGIN ')
}
