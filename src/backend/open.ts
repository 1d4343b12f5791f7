/**
 * The single switch on `backend.type`: from a configuration to the backend it names.
 */
import type { ResolvedConfig } from '../config/config.js'
import type { Log } from '../log.js'
import { IdCodec } from '../session/id.js'
import type { HelloInfo } from '../transport/transport.js'
import { WebSocketTransport } from '../transport/websocket.js'
import type { SessionBackend } from './backend.js'
import { MemoryBackend } from './memory/memory.js'
import { RedisBackend } from './redis/redis.js'
import { ReplicatedBackend } from './replicated/replicated.js'
import { SeenSealer } from './replicated/seen.js'
import { TieredBackend } from './tiered/tiered.js'

/** What backends receive instead of reaching for it. */
export interface World {
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** From 0 up to, not including, 1; for back-off and choice, never for secrets. */
  readonly random: () => number
  /** From a CSPRNG. */
  readonly randomBytes: (bytes: number) => Uint8Array
  readonly log: Log
  /** Random 53-bit integer, drawn at this start of the process. */
  readonly actor: number
  /** Milliseconds since 1970. */
  readonly startedAt: number
}

/** The backend that the configuration names, not yet opened. */
export function openBackend(config: ResolvedConfig, world: World): SessionBackend {
  const { backend } = config
  switch (backend.type) {
    case 'memory':
    case 'replicated':
      return nearBackend(backend, config, world)
    case 'redis':
      return redisBackend(backend, config, world)
    case 'tiered': {
      const { mode, flushInterval, queue, warmUp, staleFor } = backend
      const stamps = mode === 'near-cache'
      return new TieredBackend({
        near: nearBackend(backend.near, config, world),
        // A node that can do without the far side for a while can also start without it.
        far: redisBackend({ ...backend.far, onUnreachable: 'wait' }, config, { ...world, actor: otherActor(world) }, stamps),
        mode,
        now: world.now,
        log: world.log,
        flushIntervalMs: flushInterval,
        queueMax: queue,
        throughMs: backend.far.timeout,
        warmUpMax: warmUp,
        staleForMs: staleFor,
        seals: new SeenSealer(keysOf(config)),
      })
    }
  }
}

type ConfigOf<Type> = Extract<ResolvedConfig['backend'], { readonly type: Type }>

function nearBackend(
  backend: ConfigOf<'memory' | 'replicated'>,
  config: ResolvedConfig,
  world: World,
): MemoryBackend | ReplicatedBackend {
  const { limits } = config
  const { actor, now, log, startedAt } = world
  const keys = keysOf(config)
  const ids = new IdCodec(keys, world.randomBytes)
  if (backend.type === 'memory') return new MemoryBackend({ ids, actor, now, limits })
  return new ReplicatedBackend({
    node: config.node.id,
    actor,
    startedAt,
    transport: transportOf(config, world),
    peers: config.peers,
    ids,
    seals: new SeenSealer(keys),
    now,
    log,
    bootstrapTimeoutMs: backend.bootstrapTimeout,
    stamps: { waitMs: backend.stamps.wait, onStale: backend.stamps.onStale, onLost: backend.stamps.onLost },
    acks: { ...backend.acks, withinMs: backend.acks.within },
    limits,
  })
}

/** `stamps`: also where every load is answered by the primary. */
function redisBackend(
  backend: ConfigOf<'redis'>,
  config: ResolvedConfig,
  world: World,
  stamps: boolean = false,
): RedisBackend {
  const { actor, now, random, log } = world
  const keys = keysOf(config)
  return new RedisBackend({
    target: backend,
    ids: new IdCodec(keys, world.randomBytes),
    actor,
    seals: new SeenSealer(keys),
    now,
    random,
    log,
    prefix: backend.prefix,
    readFrom: backend.readFrom,
    stamps: stamps || backend.readFrom === 'replica',
    timeoutMs: backend.timeout,
    onUnreachable: backend.onUnreachable,
    json: backend.json,
    limits: config.limits,
  })
}

/** Two backends of one process make events of their own: no two may have the same name. */
function otherActor({ randomBytes }: World): number {
  return Buffer.from(randomBytes(6)).readUIntBE(0, 6) + 1
}

function transportOf(config: ResolvedConfig, world: World): WebSocketTransport {
  const { node, peers, secrets, tls } = config
  const hello: HelloInfo = {
    cluster: config.name,
    node: node.id,
    actor: world.actor,
    startedAt: world.startedAt,
    settings: settingsToAgreeOn(config),
  }
  return new WebSocketTransport({
    hello,
    secrets,
    listen: node.listen,
    ...(node.advertise === undefined ? {} : { advertise: node.advertise }),
    peers,
    ...(tls === undefined ? {} : { tls }),
    now: world.now,
    random: world.random,
    randomBytes: world.randomBytes,
    log: world.log,
  })
}

/**
 * What would lose sessions if nodes differed in it. Lifetimes are not among them: each session carries its own, so
 * `session.ttl` can be changed by a rolling restart.
 */
function settingsToAgreeOn({ session, limits }: ResolvedConfig): Readonly<Record<string, string>> {
  return {
    'session.cookie.name': session.cookie.name,
    'limits.sessionBytes': String(limits.sessionBytes),
    'limits.attributes': String(limits.attributes),
  }
}

/** Without a secret, keys derive from the cluster's name: all nodes agree, and nobody is kept out. */
export function keysOf({ secrets, name }: ResolvedConfig): readonly string[] {
  return secrets.length > 0 ? secrets : [`session-mesh cluster ${name}`]
}
