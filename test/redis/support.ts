import { randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { RedisTarget } from '../../src/backend/redis/dial.js'
import { Keys, shardOf } from '../../src/backend/redis/keys.js'
import { RedisBackend, type RedisBackendOptions } from '../../src/backend/redis/redis.js'
import { SeenSealer } from '../../src/backend/replicated/seen.js'
import { silent } from '../../src/log.js'
import { IdCodec } from '../../src/session/id.js'
import type { SessionDelta, SessionRef } from '../../src/session/session.js'
import { decodeValue, encodeValue } from '../../src/session/value.js'
import type { LoadResult } from '../../src/backend/backend.js'
import type { BackendUnderTest, ContractOptions } from '../backend/contract.js'
import type { RedisServer } from '../support/redis.js'

const SECRETS = ['0123456789abcdef0123456789abcdef']
export const ids: IdCodec = new IdCodec(SECRETS, randomBytes)
export const LIVES = { maxIdleMs: 1_800_000, maxLifeMs: Infinity }

let actors = 0
let spaces = 0

/** A part of the server that nobody else uses. */
export function space(): string {
  return `test-${process.pid}-${++spaces}`
}

/** One node's backend, not opened yet. */
export function backendOf(target: RedisTarget, options: Partial<RedisBackendOptions> = {}): RedisBackend {
  return new RedisBackend({
    target,
    ids,
    actor: process.pid * 10_000 + ++actors,
    seals: new SeenSealer(SECRETS),
    now: Date.now,
    random: Math.random,
    log: silent,
    countEveryMs: 3_600_000,
    ...options,
  })
}

export async function openBackend(target: RedisTarget, options: Partial<RedisBackendOptions> = {}): Promise<RedisBackend> {
  const backend = backendOf(target, options)
  await backend.open()
  return backend
}

/** `undefined` removes. */
export function delta(values: Readonly<Record<string, unknown>>): SessionDelta {
  const writes = Object.entries(values).map(([name, value]) => {
    return { name, kind: 0, value: value === undefined ? null : encodeValue(value, name) }
  })
  return { writes }
}

export async function load(backend: RedisBackend, id: string): Promise<LoadResult> {
  return await backend.load(id, undefined, { deadline: Date.now() + 5_000 })
}

export async function valuesOf(backend: RedisBackend, id: string): Promise<Record<string, unknown>> {
  const answer = await load(backend, id)
  if (answer.state !== 'found') throw new Error(`not found: ${JSON.stringify(answer)}`)
  const values: Record<string, unknown> = {}
  for (const name of answer.session.attributes.keys()) {
    const decoded = decodeValue(answer.session.attributes.get(name) ?? new Uint8Array())
    values[name] = decoded.ok ? decoded.value : undefined
  }
  return values
}

/** Several nodes of one cluster over one Redis, as the contract sees them. */
export async function contractOver(
  target: RedisTarget,
  servers: readonly RedisServer[],
  nodes: number,
  extra: Partial<RedisBackendOptions> = {},
  limits: ContractOptions = {},
): Promise<BackendUnderTest> {
  const prefix = space()
  const opened: RedisBackend[] = []
  const open = async (options: Partial<RedisBackendOptions>): Promise<RedisBackend> => {
    const backend = await openBackend(target, { limits, ...extra, ...options })
    opened.push(backend)
    return backend
  }
  for (let node = 0; node < nodes; node++) await open({ prefix })
  const [write] = opened
  const read = opened.at(-1)
  if (write === undefined || read === undefined) throw new Error('no backends')
  return {
    write,
    read,
    now: Date.now,
    advance: (ms) => age(servers, prefix, ms),
    settle: async () => void (await Promise.all(opened.map((each) => each.count().catch(() => {})))),
    fresh: () => open({ prefix: space() }),
    close: async () => void (await Promise.all(opened.map((each) => each.close()))),
  }
}

/** Redis has one clock, that of the machine. So instead of putting it forward, all that it holds is made older. */
export async function age(servers: readonly RedisServer[], prefix: string, ms: number): Promise<void> {
  for (const server of servers) {
    const client = server.client()
    for (const key of await client.keys(`${prefix}:*`)) {
      if (/:(live|principals):/.test(key)) {
        for (const member of await client.zrange(key, '0', '-1')) await client.zincrby(key, -ms, Buffer.from(member))
      } else if (/:(sessions|births):/.test(key)) {
        for (const field of ['creationTime', 'lastAccessedTime', 'due']) {
          if ((await client.hexists(key, field)) === 1) await client.hincrby(key, field, String(-ms))
        }
      }
      const left = await client.pttl(key)
      if (left >= 0) await client.pexpire(key, String(left - ms))
    }
    client.disconnect()
  }
}

const AGE = String.raw`
local ns, shard, birth, ms = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local id = redis.call('HGET', KEYS[1], 'id')
if not id then return end
local function key(kind, name) return ns .. ':' .. kind .. ':{' .. shard .. '}' .. (name and ':' .. name or '') end
local session = key('sessions', id)
local principal = redis.call('HGET', session, 'principal')
local lists = { key('live') }
if principal then lists[2] = key('principals', redis.sha1hex(principal)) end
for _, list in ipairs(lists) do
  if redis.call('ZSCORE', list, birth) then redis.call('ZINCRBY', list, -ms, birth) end
end
if redis.call('EXISTS', session) == 1 then
  redis.call('HINCRBY', session, 'creationTime', -ms)
  redis.call('HINCRBY', session, 'lastAccessedTime', -ms)
end
if redis.call('HEXISTS', KEYS[1], 'due') == 1 then redis.call('HINCRBY', KEYS[1], 'due', -ms) end
for _, k in ipairs({ KEYS[1], session }) do
  local left = redis.call('PTTL', k)
  if left >= 0 then redis.call('PEXPIRE', k, left - ms) end
end
`

/** The same for some sessions alone: time passes for them, and not for what others do meanwhile. */
export async function ageSessions(client: Redis, prefix: string, refs: readonly SessionRef[], ms: number): Promise<void> {
  const keys = new Keys(prefix)
  await Promise.all(refs.map(async (ref) => {
    await client.eval(AGE, 1, keys.births(ref), prefix, shardOf(ref), `${ref.actor}:${ref.counter}`, ms)
  }))
}
