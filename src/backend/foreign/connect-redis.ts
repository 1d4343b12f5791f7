import { isUsableId } from '../../session/id.js'
import type { SessionBackend } from '../backend.js'
import { idleOf, isForeignRecord, writesOf, type ForeignRecord } from './record.js'

/** What is needed of an ioredis client; every Redis or Cluster object of it is one. */
export interface RedisCommands {
  callBuffer(command: string, args: (string | number | Buffer)[]): Promise<unknown>
}

export interface ConnectRedisOptions {
  /** What the keys begin with. Default 'sess:'. */
  readonly prefix?: string
  /** Idle lifetime of records that do not say theirs, milliseconds. Default: what is left of it in Redis, else a day. */
  readonly maxIdleMs?: number
  /** Deletes each record once it is taken over: then nothing is imported twice, whatever ends meanwhile. Default false. */
  readonly remove?: boolean
  readonly onProgress?: (progress: ImportedRecords) => boolean | void
}

export interface ImportedRecords {
  readonly imported: number
  /** Their id names a session already. */
  readonly known: number
  /** Their id named a session that has ended. */
  readonly dead: number
  /** Not a session: unreadable, or gone before it could be read. */
  readonly skipped: number
}

const DAY_MS = 86_400_000
const BATCH = 100

/**
 * Takes over the sessions that connect-redis wrote, under their ids, so that adopting session-mesh logs nobody out.
 * Such records do not say which session they are; so one process imports them, once, and every session gets its birth
 * there. Over a Redis Cluster it is called once for each primary.
 */
export async function importConnectRedis(
  client: RedisCommands,
  to: SessionBackend,
  options: ConnectRedisOptions = {},
): Promise<ImportedRecords> {
  const { prefix = 'sess:', remove = false, onProgress } = options
  const counts = { imported: 0, known: 0, dead: 0, skipped: 0 }
  const pattern = `${prefix.replace(/[\\*?[\]^-]/g, '\\$&')}*`
  let cursor = '0'
  do {
    const [next, keys] = scanned(await client.callBuffer('SCAN', [cursor, 'MATCH', pattern, 'COUNT', BATCH]))
    cursor = next
    for (const key of keys) {
      const outcome = await importKey(client, to, key, key.slice(prefix.length), options)
      counts[outcome]++
      if (remove && outcome !== 'skipped') await client.callBuffer('DEL', [key])
    }
    if (onProgress?.({ ...counts }) === false) break
  } while (cursor !== '0')
  return counts
}

async function importKey(
  client: RedisCommands,
  to: SessionBackend,
  key: string,
  id: string,
  { maxIdleMs }: ConnectRedisOptions,
): Promise<keyof ImportedRecords> {
  const record = recordOf(await client.callBuffer('GET', [key]))
  if (record === undefined || !isUsableId(id)) return 'skipped'
  const held = await to.load(id, undefined, { deadline: Infinity })
  if (held.state === 'found') return 'known'
  if (held.state === 'none' && held.why !== 'unknown') return 'dead'
  const left = Number(await client.callBuffer('PTTL', [key]))
  const idle = idleOf(record) ?? maxIdleMs ?? (left > 0 ? left : DAY_MS)
  const { outcome } = await to.create({ writes: writesOf(record) }, { id, maxIdleMs: idle, maxLifeMs: Infinity })
  return outcome === 'gone' ? 'known' : 'imported'
}

function recordOf(reply: unknown): ForeignRecord | undefined {
  if (!Buffer.isBuffer(reply)) return undefined
  try {
    const record: unknown = JSON.parse(reply.toString())
    return isForeignRecord(record) ? record : undefined
  } catch {
    return undefined
  }
}

function scanned(reply: unknown): readonly [cursor: string, keys: readonly string[]] {
  const [cursor, keys]: unknown[] = Array.isArray(reply) ? reply : []
  const names: unknown[] = Array.isArray(keys) ? keys : []
  return [Buffer.isBuffer(cursor) ? cursor.toString() : '0', names.map(String)]
}
