/**
 * The shape of a configuration: which keys there are, what each may hold, and what it is when left out.
 * Relations between sections are config.ts's.
 */
import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { isLoopback } from '../address.js'
import { formatDuration } from '../duration.js'
import { accountsProblem, carrierProblem, carriersOf, isAccountsChoice, isCarrierChoice } from '../http/carriers/carrier-options.js'
import { mergeProblems } from '../http/handle/merge-kinds.js'
import type { Log } from '../log.js'
import type { MergeKind } from '../session/session.js'
import type { Logger } from './input.js'
import {
  address,
  dialAddress,
  duration,
  flag,
  isText,
  listenAddress,
  name,
  nonEmptyText,
  oneOf,
  option,
  Refused,
  report,
  section,
  wholeNumber,
} from './leaves.js'

const DAY_MS = 86_400_000
const LIFETIME_MAX_MS = 3_650 * DAY_MS

// ── Sections ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** A name that a cookie can have: an HTTP token (RFC 6265 4.1.1). */
const cookieName = option("letters, digits and !#$%&'*+-.^_`|~", (value) => {
  if (!isText(value)) return new Refused('wrong type')
  return /^[\w!#$%&'*+.^`|~-]{1,64}$/.test(value) ? value : new Refused('not a cookie name')
})

const cookiePart = (expected: string, pattern: RegExp): z.ZodType<string> => {
  return option(expected, (value) => (isText(value) && pattern.test(value) ? value : new Refused('not allowed')))
}

const cookie = section({
  name: cookieName.optional(),
  secure: oneOf(true, false, 'auto').optional(),
  sameSite: oneOf('lax', 'strict', 'none').optional(),
  path: cookiePart("a path beginning with '/'", /^\/[\x21-\x3a\x3c-\x7e]*$/).optional(),
  domain: cookiePart("a domain such as 'example.com'", /^\.?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/).optional(),
  maxAge: duration(1_000, LIFETIME_MAX_MS, 'finite').optional(),
  httpOnly: flag().optional(),
  partitioned: flag().optional(),
}).check((payload) => {
  const { name: called = '', secure, sameSite, path, domain, partitioned } = payload.value
  const refuse = (key: string, problem: string, expected: string): void => {
    report(payload.issues, payload.value, [key], problem, { expected })
  }
  if (called.startsWith('__Host-') && domain !== undefined) {
    refuse('domain', 'a cookie named __Host-… has no domain (RFC 6265bis 4.1.3.2)', 'no domain')
  }
  if (called.startsWith('__Host-') && path !== undefined && path !== '/') {
    refuse('path', 'a cookie named __Host-… has the path / (RFC 6265bis 4.1.3.2)', "'/'")
  }
  if (/^__(Host|Secure)-/.test(called) && secure !== true) {
    refuse('secure', `browsers refuse a cookie named ${called} that is not Secure`, 'true')
  }
  if (sameSite === 'none' && secure !== true) {
    refuse('secure', 'browsers refuse SameSite=None without Secure', 'true')
  }
  if (partitioned === true && secure !== true) {
    refuse('secure', 'browsers refuse Partitioned without Secure', 'true')
  }
})

const carrier = option('"cookie", "bearer", { header: "X-Auth-Token" }, or a list of up to four of these', (value) => {
  return isCarrierChoice(value) ? value : new Refused(carrierProblem(value) ?? 'not a carrier')
})

const accounts = option('true, false, { query: "_s" }, { header: "X-Account" } or { path: "/u" }', (value) => {
  return isAccountsChoice(value) ? value : new Refused(accountsProblem(value) ?? 'not a place')
})

const condition = option('a function (req) => boolean', (value) => {
  return isCondition(value) ? value : new Refused('wrong type')
})

function isCondition(value: unknown): value is (req: IncomingMessage) => boolean {
  return typeof value === 'function'
}

const merge = z.unknown().transform((value, context): Readonly<Record<string, MergeKind>> => {
  if (!isMergeKinds(value)) {
    report(context.issues, value, [], 'wrong type', { expected: "kinds by attribute, such as { visits: 'counter' }" })
    return {}
  }
  for (const { name: attribute, problem, expected } of mergeProblems(value)) {
    report(context.issues, value, [attribute], problem, { expected })
  }
  return value
})

/** Of which kinds, `mergeProblems` says. */
function isMergeKinds(value: unknown): value is Readonly<Record<string, MergeKind>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export const sessionSchema = section({
  ttl: duration(1, LIFETIME_MAX_MS, 'or-infinity').optional(),
  maxLifetime: duration(1, LIFETIME_MAX_MS, 'or-infinity').optional(),
  cookie: cookie.optional(),
  carrier: carrier.optional(),
  accounts: accounts.optional(),
  flush: oneOf('commit', 'immediate').optional(),
  rolling: flag().optional(),
  touchAfter: duration(0, LIFETIME_MAX_MS, 'finite').optional(),
  loadWithin: duration(1, 600_000, 'finite').optional(),
  load: oneOf('eager', 'on-demand').optional(),
  when: condition.optional(),
  lateWrites: oneOf('merge', 'drop').optional(),
  onGone: oneOf('ignore', 'throw', 'restart').optional(),
  detectMutations: flag().optional(),
  merge: merge.optional(),
  trustProxy: flag().optional(),
}).check((payload) => {
  const { ttl, maxLifetime, touchAfter, accounts: several = false, carrier: chosen = 'cookie' } = payload.value
  if (several !== false && !carriersOf(chosen).includes('cookie')) {
    const problem = 'sessions of one browser share one cookie, and ids do not travel in cookies here'
    report(payload.issues, payload.value, ['accounts'], problem, { expected: '"cookie" among session.carrier' })
  }
  if (ttl !== undefined && maxLifetime !== undefined && ttl !== Infinity && maxLifetime < ttl) {
    const problem = `shorter than session.ttl (${formatDuration(ttl)})`
    report(payload.issues, payload.value, ['maxLifetime'], problem, { expected: 'at least session.ttl' })
  }
  if (touchAfter !== undefined && touchAfter > 0 && ttl !== undefined && touchAfter >= ttl) {
    const problem = `not shorter than session.ttl (${formatDuration(ttl)}), so an active session would expire`
    report(payload.issues, payload.value, ['touchAfter'], problem, { expected: 'less than session.ttl' })
  }
})

const stamps = section({
  wait: duration(0, 60_000, 'finite').default(1_000),
  onStale: oneOf('serve', '503').default('serve'),
  onLost: oneOf('accept', 'error', 'fresh').default('accept'),
})

const acks = section({
  write: oneOf('async', 'one', 'quorum', 'all').default('async'),
  kill: oneOf('async', 'one', 'quorum', 'all').default('all'),
  rotate: oneOf('async', 'one', 'quorum', 'all').default('all'),
  within: duration(1, 60_000, 'finite').default(250),
})

/** Options of TLS towards Redis, or true for those of the platform. */
const redisTls = option('true, or { ca, cert, key, servername }: PEM texts or paths of them', (value) => {
  if (typeof value === 'boolean') return value
  return isTexts(value, ['ca', 'cert', 'key', 'servername']) ? value : new Refused('wrong type')
})

function isTexts<K extends string>(value: unknown, keys: readonly K[]): value is Readonly<Partial<Record<K, string>>> {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).every(([key, text]) => keys.some((known) => known === key) && isText(text))
}

const redisUrl = option("a URL such as 'redis://user:password@host:6379/0', or rediss:// for TLS", (value) => {
  if (!isText(value)) return new Refused('wrong type')
  if (!URL.canParse(value)) return new Refused('not a URL')
  return /^rediss?:\/\/[^/]/.test(value) ? value : new Refused('not a Redis URL')
})

const redisPrefix = option('1 to 64 letters, digits, dots, dashes, colons or underscores', (value) => {
  if (!isText(value)) return new Refused('wrong type')
  return /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/.test(value) ? value : new Refused('not allowed')
})

const replicated = section({
  type: z.literal('replicated'),
  bootstrapTimeout: duration(1, 600_000, 'finite').default(3_000),
  stamps: stamps.prefault({}),
  acks: acks.prefault({}),
})

const memory = section({ type: z.literal('memory') })

const redis = section({
  type: z.literal('redis'),
  url: redisUrl.optional(),
  host: nonEmptyText('a host name or address').optional(),
  port: wholeNumber(1, 65_535).optional(),
  db: wholeNumber(0, 1_000_000).optional(),
  sentinels: z.array(dialAddress()).optional(),
  name: name().optional(),
  cluster: z.array(dialAddress()).optional(),
  username: nonEmptyText('a user of Redis').optional(),
  password: nonEmptyText('its password').optional(),
  tls: redisTls.optional(),
  prefix: redisPrefix.default('session-mesh'),
  readFrom: oneOf('primary', 'replica').default('primary'),
  timeout: duration(10, 60_000, 'finite').default(1_000),
  onUnreachable: oneOf('fail', 'wait').default('fail'),
  json: flag().default(false),
})

const tiered = section({
  type: z.literal('tiered'),
  near: z.discriminatedUnion('type', [replicated, memory]).prefault({ type: 'replicated' }),
  far: z.discriminatedUnion('type', [redis]),
  mode: oneOf('write-behind', 'near-cache', 'both').default('write-behind'),
  flushInterval: duration(1, 60_000, 'finite').default(100),
  queue: wholeNumber(1, 10_000_000).default(100_000),
  warmUp: wholeNumber(0, 10_000_000).default(20_000),
  staleFor: duration(0, 600_000, 'finite').default(1_000),
})

const backend = z.discriminatedUnion('type', [replicated, memory, redis, tiered])

const secret = option('a text of at least 32 bytes, or a list of them', (value) => {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (texts.length === 0) return new Refused('an empty list')
  if (!texts.every(isText)) return new Refused('wrong type')
  if (texts.some((text) => Buffer.byteLength(text) < 32)) return new Refused('too short')
  if (texts.some((text) => SAMPLE_SECRETS.has(text))) return new Refused('a sample from the documentation')
  return new Set(texts).size === texts.length ? texts : new Refused('the same secret twice')
})

/** What the documentation shows in place of a secret; everybody can read it there. */
export const SAMPLE_SECRETS: ReadonlySet<string> = new Set([
  'replace-me-with-32-random-bytes-or-more',
  'change-me-change-me-change-me-change-me',
  '0123456789abcdef0123456789abcdef',
])

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const

const log = option('a function (level, event, fields), or a logger with debug, info, warn and error', (value) => {
  return isLog(value) || isLogger(value) ? value : new Refused('wrong type')
})

function isLog(value: unknown): value is Log {
  return typeof value === 'function'
}

function isLogger(value: unknown): value is Logger {
  if (typeof value !== 'object' || value === null) return false
  return LOG_LEVELS.every((level) => typeof Reflect.get(value, level) === 'function')
}

const pemOrPath = (what: string): z.ZodType<string> => nonEmptyText(`${what}: a path, or the PEM text itself`)

export const configSchema = section({
  name: name(),
  node: section({
    id: name(),
    listen: listenAddress().default('127.0.0.1:7946'),
    advertise: dialAddress().optional(),
  }),
  peers: z.array(dialAddress()).default([]),
  secret: secret.default([]),
  tls: section({ key: pemOrPath('private key'), cert: pemOrPath('certificate'), ca: pemOrPath('CA') }).optional(),
  backend: backend.prefault({ type: 'replicated' }),
  limits: section({
    sessions: wholeNumber(1, 100_000_000).default(1_000_000),
    sessionBytes: wholeNumber(1_024, 524_288).default(65_536),
    attributes: wholeNumber(1, 10_000).default(1_024),
  }).prefault({}),
  session: sessionSchema.prefault({}),
  maxSessions: section({
    perPrincipal: wholeNumber(1, 1_000_000),
    policy: oneOf('refuse', 'oldest-out').default('oldest-out'),
  }).optional(),
  debug: section({ creationStacks: flag().default(false) }).prefault({}),
  admin: section({
    listen: address("a loopback host:port, such as '127.0.0.1:7980'", ({ host }) => isLoopback(host)),
  }).optional(),
  log: log.optional(),
})

export type ParsedConfig = z.output<typeof configSchema>
