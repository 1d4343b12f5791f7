import type { CAC } from 'cac'
import { formatAddress, parseAddress } from '../address.js'
import type { SessionBackend } from '../backend/backend.js'
import { importConnectRedis } from '../backend/foreign/connect-redis.js'
import { openBackend } from '../backend/open.js'
import { dial, importIoredis } from '../backend/redis/dial.js'
import { countDifferences, migrate, type Progress } from '../backend/tiered/copy.js'
import { resolveConfig, type ResolvedConfig } from '../config/config.js'
import { deferred } from '../deferred.js'
import type { NodeId } from '../session/session.js'
import { lineLog } from '../observe/log-sinks.js'
import { loadConfig, textFlag, withNodeFlags } from './config-flags.js'
import { CliError, Exit, usageError, type ExitCode } from './exit.js'
import type { CliIo } from './io.js'

type Side = 'redis' | 'replicated'
type Backend = ResolvedConfig['backend']

const REPORT_EVERY_MS = 1_000
/** Nobody waits for a copy as for a request: it outlasts a Redis that is busy for a while. */
const TIMEOUT_MIN_MS = 5_000
/** So long a copy into replicated memory stays, so that the nodes fetch what it brought. */
const SPREAD_MS = 5_000

/** `migrate`: copies every live session into Redis or into replicated memory, and says whether both hold the same. */
export function register(cli: CAC, io: CliIo): void {
  withNodeFlags(cli.command('migrate', 'Copy live sessions to Redis, or from it to replicated memory'))
    .option('--to <backend>', 'redis or replicated')
    .option('--redis <url>', 'Where Redis is (default: the configuration, else REDIS_URL)')
    .option('--cursor <cursor>', 'Go on where an interrupted copy stopped')
    .option('--connect-redis [prefix]', 'Take over the sessions of connect-redis as well (default prefix sess:)')
    .action(async (flags: Flags) => await run(cli, io, flags))
}

interface Flags {
  readonly json?: boolean
  readonly connectRedis?: string | boolean
}

async function run(cli: CAC, io: CliIo, flags: Flags): Promise<ExitCode> {
  const to = sideOf(textFlag(cli, 'to'))
  const { config } = await loadConfig(cli, io)
  const redis = redisOf(config, textFlag(cli, 'redis'), io)
  const sides = {
    redis: open({ ...config, backend: redis }, io),
    replicated: open(asMember(config, io), io),
  }
  const stop = stopper(io)
  try {
    await Promise.all([sides.redis.open(), sides.replicated.open()])
    await Promise.all([sides.redis.ready(), sides.replicated.ready()])
    const [from, target] = to === 'redis' ? [sides.replicated, sides.redis] : [sides.redis, sides.replicated]
    const tell = teller(io, flags.json === true)
    if (flags.connectRedis !== undefined) await takeOver(redis, target, flags.connectRedis, tell)
    const cursor = textFlag(cli, 'cursor')
    const report = reporter(io, tell, () => stop.isStopped)
    const progress = await migrate(from, target, { ...(cursor === undefined ? {} : { cursor }), rounds: 3, onProgress: report })
    return await conclude(progress, { from, target, to, isStopped: stop.isStopped, tell, wait: stop.wait })
  } finally {
    stop.forget()
    await Promise.all([sides.redis.close(), sides.replicated.close()])
  }
}

function sideOf(flag: string | undefined): Side {
  if (flag === 'redis' || flag === 'replicated') return flag
  throw usageError(`--to ${flag ?? ''} (expected redis or replicated)`)
}

interface End {
  readonly from: SessionBackend
  readonly target: SessionBackend
  readonly to: Side
  readonly isStopped: boolean
  readonly tell: Tell
  readonly wait: (ms: number) => Promise<void>
}

async function conclude(progress: Progress, { from, target, to, isStopped, tell, wait }: End): Promise<ExitCode> {
  if (isStopped) {
    tell('stopped', `stopped; go on with --cursor ${progress.cursor ?? ''}`, progress)
    return Exit.interrupted
  }
  if (to === 'replicated') await wait(SPREAD_MS)
  const differing = await countDifferences(from, target)
  const { copied, known, dead } = progress
  tell('copied', `${copied} sessions copied, ${known} were there, ${dead} had ended`, { copied, known, dead })
  if (differing === 0) {
    tell('equal', 'both hold the same')
    return Exit.ok
  }
  tell('different', `${differing} sessions differ: run the nodes with backend.type 'tiered' and mode 'both'`, { differing })
  return Exit.unavailable
}

/** This process as one more member, next to the node whose configuration it uses. */
function asMember(config: ResolvedConfig, io: CliIo): ResolvedConfig {
  const { backend, node, peers } = config
  const own = parseAddress(node.listen)
  const suffix = io.randomBytes(4).toString('hex')
  const member = backend.type === 'tiered' && backend.near.type === 'replicated' ? backend.near : backend
  return {
    ...config,
    backend: member.type === 'replicated' ? member : resolved({ type: 'replicated' }, config, io),
    node: {
      id: `${node.id}-migrate-${suffix}` as NodeId,
      listen: formatAddress({ host: own?.host ?? '127.0.0.1', port: 0 }),
    },
    peers: [...new Set([...peers, node.advertise ?? node.listen])],
  }
}

function redisOf(config: ResolvedConfig, url: string | undefined, io: CliIo): Extract<Backend, { type: 'redis' }> {
  const { backend } = config
  const given = backend.type === 'tiered' ? backend.far : backend
  const redis = url === undefined && given.type === 'redis' ? given : resolved({ type: 'redis', url }, config, io)
  if (redis.type === 'redis') return { ...redis, timeout: Math.max(redis.timeout, TIMEOUT_MIN_MS) }
  throw new CliError(Exit.config, 'SESSION_MESH_CONFIG', 'no Redis is configured (--redis names one)')
}

/** A backend with all its defaults. */
function resolved(backend: object, { name }: ResolvedConfig, io: CliIo): Backend {
  return resolveConfig({ name, backend }, io.environment).backend
}

function open(config: ResolvedConfig, io: CliIo): SessionBackend {
  const { now } = io.environment
  return openBackend(config, {
    now,
    random: () => io.randomBytes(4).readUInt32BE(0) / 0x1_0000_0000,
    randomBytes: io.randomBytes,
    log: lineLog((line) => io.stderr.write(line)),
    actor: io.randomBytes(6).readUIntBE(0, 6) + 1,
    startedAt: now(),
  })
}

async function takeOver(
  redis: Extract<Backend, { type: 'redis' }>,
  target: SessionBackend,
  prefix: string | boolean,
  tell: Tell,
): Promise<void> {
  const client = dial(await importIoredis(), redis, redis.timeout, 'primary')
  client.on('error', () => {})
  await client.connect()
  try {
    const counts = await importConnectRedis(client, target, typeof prefix === 'string' ? { prefix } : {})
    tell('taken-over', `${counts.imported} sessions of connect-redis taken over, ${counts.known} were there`, counts)
  } finally {
    client.disconnect()
  }
}

type Tell = (event: string, text: string, fields?: object) => void

function teller(io: CliIo, json: boolean): Tell {
  return (event, text, fields = {}) => void io.stdout.write(json ? `${JSON.stringify({ event, ...fields })}\n` : `${text}\n`)
}

/** Tells how far the copy is, once a second; false once it shall stop. */
function reporter(io: CliIo, tell: Tell, isStopped: () => boolean): (progress: Progress) => boolean {
  let toldAt = io.environment.now()
  return (progress) => {
    if (io.environment.now() - toldAt >= REPORT_EVERY_MS) {
      toldAt = io.environment.now()
      tell('progress', `${progress.copied + progress.known} sessions so far`, progress)
    }
    return !isStopped()
  }
}

interface Stopper {
  readonly isStopped: boolean
  readonly wait: (ms: number) => Promise<void>
  readonly forget: () => void
}

/** The first signal stops the copy at the next batch. */
function stopper(io: CliIo): Stopper {
  const stopped = deferred<void>()
  let isStopped = false
  const stop = (): void => {
    isStopped = true
    stopped.resolve()
  }
  const undo = [io.onSignal('SIGINT', stop), io.onSignal('SIGTERM', stop)]
  return {
    get isStopped() {
      return isStopped
    },
    wait: async (ms) => {
      let timer: NodeJS.Timeout | undefined
      const passed = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))
      await Promise.race([passed, stopped.promise])
      clearTimeout(timer)
    },
    forget: () => undo.forEach((each) => each()),
  }
}
