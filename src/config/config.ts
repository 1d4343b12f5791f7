/**
 * From what a user wrote to what the parts are built from: surroundings filled in, validated whole and once, every
 * mistake reported together.
 */
import { formatAddress, isLoopback, isWildcard, parseAddress } from '../address.js'
import { formatDuration } from '../duration.js'
import { ConfigError } from '../errors.js'
import { COOKIE_AGE_MAX_MS, resolveSessionOptions, type ResolvedSessionOptions } from '../http/options.js'
import type { Log } from '../log.js'
import type { NodeId } from '../session/session.js'
import type { Logger } from './input.js'
import { describeIssue, describeProblem, type Problem } from './problems.js'
import { checkRedis, saysWhere, withTlsTexts } from './redis.js'
import { configSchema, sessionSchema, type ParsedConfig } from './schema.js'
import { readTls, type TlsMaterial } from './tls.js'

/** A configuration with nothing left open. Lifetimes are milliseconds. */
export interface ResolvedConfig {
  readonly name: string
  readonly node: { readonly id: NodeId; readonly listen: string; readonly advertise?: string }
  /** Other nodes' addresses, this node's own left out. */
  readonly peers: readonly string[]
  /** The first signs, all verify. Empty only on loopback or under mutual TLS. */
  readonly secrets: readonly string[]
  readonly tls?: TlsMaterial
  readonly backend: ResolvedBackend
  readonly limits: ResolvedLimits
  readonly session: ResolvedSessionOptions
  readonly maxSessions?: NonNullable<ParsedConfig['maxSessions']>
  readonly debug: ParsedConfig['debug']
  readonly admin?: { readonly listen: string }
  readonly log?: Log | Logger
  /** What is worth a line in the log at start, though nothing is wrong with it. */
  readonly notes: readonly Note[]
}

export type ResolvedBackend = ParsedConfig['backend']
export type ResolvedLimits = ParsedConfig['limits']

export interface Note {
  readonly level: 'info' | 'warn'
  readonly event: string
  readonly detail: string
}

/** What a configuration is completed from. Only cluster.ts and the command line pass the real ones. */
export interface Environment {
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly hostname: string
  readonly now: () => number
  /** Text of a file; throws when it cannot be read. */
  readonly readFile: (path: string) => string
}

/** What flags of the command line say. They win over the file, which wins over the environment. */
export interface ConfigOverrides {
  readonly node?: string | undefined
  readonly listen?: string | undefined
  readonly advertise?: string | undefined
  readonly peers?: string | undefined
}

/** The configuration to build from, or a ConfigError with one line per mistake. `source` names the file, if any. */
export function resolveConfig(
  input: unknown,
  environment: Environment,
  overrides: ConfigOverrides = {},
  source?: string,
): ResolvedConfig {
  const { completed, origins } = complete(input, environment.variables, environment.hostname, overrides)
  // Captured on the way: what was understood is there even when something else was not.
  let understood: Partial<ParsedConfig> = {}
  const capture = (value: ParsedConfig): boolean => {
    if (isRecord(value)) understood = value
    return true
  }
  const parsed = configSchema.refine(capture, { when: () => true }).safeParse(completed)

  const tls = understood.tls && readTls(understood.tls, environment.readFile, environment.now())
  const { backend } = understood
  const given = isRecord(completed) && isRecord(completed.backend) ? completed.backend : {}
  const redisProblems = checkRedisOf(backend, given, environment.readFile)
  const problems = [...checkRelations(understood), ...(tls?.problems ?? []), ...redisProblems]
  const lines = [
    ...(parsed.error?.issues ?? []).map((issue) => describeIssue(issue, completed) + originOf(issue.path, origins)),
    ...problems.map((problem) => describeProblem(problem, completed) + originOf(problem.path, origins)),
  ]
  if (lines.length > 0 || !parsed.success) throw new ConfigError([...new Set(lines)], source)
  return resolve(parsed.data, tls?.material, environment.readFile)
}

/** The options of one mounted middleware, in the words and with the checks of `session` in a configuration. */
export function resolveSession(input: unknown, limits: ResolvedLimits): ResolvedSessionOptions {
  const parsed = sessionSchema.safeParse(input)
  if (parsed.success) return withLimits(parsed.data, limits)
  throw new ConfigError(parsed.error.issues.map((issue) => describeIssue(issue, input)), 'session options')
}

function withLimits(session: ParsedConfig['session'], limits: ResolvedLimits): ResolvedSessionOptions {
  return resolveSessionOptions({ ...session, limits: { bytes: limits.sessionBytes, attributes: limits.attributes } })
}

function resolve(
  config: ParsedConfig,
  tls: TlsMaterial | undefined,
  readFile: Environment['readFile'],
): ResolvedConfig {
  const { node, peers, backend } = config
  const own = new Set([node.listen, node.advertise])
  return {
    name: config.name,
    node: {
      id: node.id as NodeId,
      listen: node.listen,
      ...(node.advertise === undefined ? {} : { advertise: node.advertise }),
    },
    peers: peers.filter((peer) => !own.has(peer)),
    secrets: config.secret,
    ...(tls === undefined ? {} : { tls }),
    backend: withTexts(backend, readFile),
    limits: config.limits,
    session: withLimits(config.session, config.limits),
    ...(config.maxSessions === undefined ? {} : { maxSessions: config.maxSessions }),
    debug: config.debug,
    ...(config.admin === undefined ? {} : { admin: config.admin }),
    ...(config.log === undefined ? {} : { log: config.log }),
    notes: notesOn(config),
  }
}

// ── Completing ────────────────────────────────────────────────────────────────────────────────────────────────────

/** By path: where a value came from that is not in the configuration itself. */
type Origins = ReadonlyMap<string, string>

function complete(
  input: unknown,
  variables: Environment['variables'],
  hostname: string,
  overrides: ConfigOverrides,
): { readonly completed: unknown; readonly origins: Origins } {
  const origins = new Map<string, string>()
  if (!isRecord(input)) return { completed: input, origins }
  const node = input.node ?? {}
  const { backend } = input

  /** Flag, then file, then environment. */
  const pick = (path: string, flag: string | undefined, given: unknown, variable: string): unknown => {
    const fromVariable = variables[variable] === '' ? undefined : variables[variable]
    if (flag !== undefined) origins.set(path, `--${path.replace('node.id', 'node').replace('node.', '')}`)
    else if (given === undefined && fromVariable !== undefined) origins.set(path, variable)
    return flag ?? given ?? fromVariable
  }

  const peers = pick('peers', overrides.peers, input.peers, 'SESSION_MESH_PEERS')
  const completed = {
    ...input,
    peers: typeof peers === 'string' && origins.has('peers') ? splitList(peers) : peers,
    backend: withRedisUrl(backend, 'backend', (path) => pick(path, undefined, undefined, 'REDIS_URL')),
    secret: pick('secret', undefined, input.secret, 'SESSION_MESH_SECRET'),
    node: isRecord(node)
      ? {
          ...node,
          id: pick('node.id', overrides.node, node.id, 'SESSION_MESH_NODE') ?? hostname.replace(/[^\w.:-]/g, '-'),
          listen: pick('node.listen', overrides.listen, node.listen, 'SESSION_MESH_LISTEN'),
          advertise: pick('node.advertise', overrides.advertise, node.advertise, 'SESSION_MESH_ADVERTISE'),
        }
      : node,
  }
  return { completed, origins }
}

/** Redis by itself, or as the far side: where nothing says where it is, the environment may. */
function withRedisUrl(backend: unknown, path: string, pick: (path: string) => unknown): unknown {
  if (!isRecord(backend)) return backend
  if (backend.type === 'tiered') return { ...backend, far: withRedisUrl(backend.far, `${path}.far`, pick) }
  return backend.type === 'redis' && !saysWhere(backend) ? { ...backend, url: pick(`${path}.url`) } : backend
}

function splitList(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function originOf(path: readonly PropertyKey[], origins: Origins): string {
  const origin = origins.get(path.slice(0, 2).join('.')) ?? origins.get(String(path[0]))
  return origin === undefined ? '' : `; from ${origin}`
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// ── Relations ─────────────────────────────────────────────────────────────────────────────────────────────────────

function checkRedisOf(
  backend: Partial<ResolvedBackend> | undefined,
  given: Readonly<Record<string, unknown>>,
  readFile: Environment['readFile'],
): readonly Problem[] {
  if (backend?.type === 'redis') return checkRedis(given, backend, readFile)
  if (backend?.type !== 'tiered' || backend.far === undefined || !isRecord(given.far)) return []
  const problems = checkRedis(given.far, backend.far, readFile)
  return problems.map((problem) => ({ ...problem, path: ['backend', 'far', ...problem.path.slice(1)] }))
}

function withTexts(backend: ResolvedBackend, readFile: Environment['readFile']): ResolvedBackend {
  if (backend.type === 'redis') return withTlsTexts(backend, readFile)
  return backend.type === 'tiered' ? { ...backend, far: withTlsTexts(backend.far, readFile) } : backend
}

/** Whether nodes listen to each other. */
function replicates(backend: Partial<ResolvedBackend> | undefined): boolean {
  if (backend?.type === 'tiered') return backend.near?.type !== 'memory'
  return backend?.type !== 'memory' && backend?.type !== 'redis'
}

/** Checks between options. Sections and options that were not understood are undefined and skipped. */
function checkRelations(config: Partial<ParsedConfig>): readonly Problem[] {
  return [...checkExposure(config), ...checkPeers(config), ...checkPorts(config), ...checkNear(config)]
}

/** Off loopback, nodes must prove who they are. */
function checkExposure({ node, peers, secret, tls, backend }: Partial<ParsedConfig>): readonly Problem[] {
  if (!replicates(backend)) return []
  if (tls !== undefined || secret === undefined || secret.length > 0) return []
  const exposed = [
    ['node.listen', node?.listen],
    ['node.advertise', node?.advertise],
    ...listOf(peers).map((peer, index) => [`peers[${index}]`, peer] as const),
  ].find(([, address]) => address !== undefined && !isLoopback(parseAddress(address)?.host ?? 'localhost'))
  if (exposed === undefined) return []
  const [option, address] = exposed
  return [
    {
      path: ['secret'],
      problem: `missing, and ${option} (${address}) is not loopback: whoever reaches it could read and end sessions`,
      expected: '32 random bytes or more, the same on every node, or tls',
      hint: 'make one with "openssl rand -base64 32"; if it is read from a variable, that variable is not set',
    },
  ]
}

function checkPeers({ peers }: Partial<ParsedConfig>): readonly Problem[] {
  return listOf(peers).flatMap((peer, index, all) => {
    const first = all.indexOf(peer)
    if (peer === undefined || first === index) return []
    return [{ path: ['peers', index], problem: `the same as peers[${first}]`, expected: 'each node once' }]
  })
}

/** The peers that were understood, in their places. */
function listOf(peers: unknown): readonly (string | undefined)[] {
  return Array.isArray(peers) ? peers.map((peer) => (typeof peer === 'string' ? peer : undefined)) : []
}

/** Memory that no other node hears of is the truth for one node at most. */
function checkNear({ backend, peers }: Partial<ParsedConfig>): readonly Problem[] {
  if (backend?.type !== 'tiered' || backend.mode === 'near-cache' || backend.near?.type !== 'memory') return []
  if (listOf(peers).length === 0) return []
  const problem = `'memory' is for a single node in mode '${backend.mode}', and there are peers`
  return [{ path: ['backend', 'near', 'type'], problem, expected: "'replicated', or mode 'near-cache'" }]
}

function checkPorts({ node, admin }: Partial<ParsedConfig>): readonly Problem[] {
  const listen = admin?.listen
  if (listen === undefined || listen !== node?.listen || parseAddress(listen)?.port === 0) return []
  return [{ path: ['admin', 'listen'], problem: 'the same as node.listen', expected: 'a port of its own' }]
}

// ── Notes ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function notesOn({ name, node, peers, secret, backend, session }: ParsedConfig): readonly Note[] {
  const notes: Note[] = []
  if (replicates(backend) && secret.length === 0) {
    const detail = `keys derive from the cluster name ${name}: they keep nobody out who reaches this machine`
    notes.push({ level: 'warn', event: 'no-secret', detail })
  }
  if (replicates(backend) && peers.length === 0) {
    notes.push({ level: 'warn', event: 'no-peers', detail: 'sessions live in this process alone' })
  }
  const listen = parseAddress(node.listen)
  if (listen !== undefined && isWildcard(listen.host) && node.advertise === undefined) {
    const detail = `peers are told ${formatAddress(listen)}, which is no address of this node; set node.advertise`
    notes.push({ level: 'warn', event: 'no-advertise', detail })
  }
  if (peers.includes(node.listen) || (node.advertise !== undefined && peers.includes(node.advertise))) {
    notes.push({ level: 'info', event: 'own-address-in-peers', detail: 'this node does not dial itself' })
  }
  if ((session.cookie?.maxAge ?? 0) > COOKIE_AGE_MAX_MS) {
    const longest = formatDuration(COOKIE_AGE_MAX_MS)
    const detail = `session.cookie.maxAge lowered to ${longest}, the longest that browsers keep`
    notes.push({ level: 'warn', event: 'cookie-age', detail })
  }
  return notes
}
