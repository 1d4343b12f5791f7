/** Starts the processes of a trial, knows what they used, and ends every one of them. */
import type { BackendConfig, ClusterConfig } from '../../src/index.js'
import type { CpuReading, Role } from '../method/window.js'
import type { ServerSpec } from '../servers/orders.js'
import type { Carried } from '../servers/relay.js'
import type { Variant } from '../variants.js'
import { Child } from './child.js'
import { freePorts } from './free-ports.js'
import type { Pinning } from './pinning.js'
import { machineCpuMs } from './proc.js'
import { RedisServer } from './redis-server.js'

export interface SiteOptions {
  readonly nodes: number
  /** One way, on every link between nodes and on those to Redis; 0: directly connected. Default 0. */
  readonly delayMs?: number
  /** Links between nodes go through a relay even without a delay, so that their bytes are counted (`Rig.carried`). */
  readonly counted?: boolean
  /** Every second node on the cores of the load: where the nodes are the load themselves. */
  readonly spread?: boolean
  /** For the node binary, such as `--expose-gc`. */
  readonly nodeFlags?: readonly string[]
  /** Beside the variant's backend: options of session-mesh, such as `session`. */
  readonly config?: Partial<ClusterConfig>
}

/** The servers of one variant. */
export interface Site {
  readonly variant: Variant
  readonly nodes: readonly Child[]
  readonly redis: RedisServer | undefined
  /** Where the nodes listen to each other. */
  readonly listens: readonly string[]
}

/** Whose cores a server may use. */
export type Place = 'servers' | 'load'

/** At least 32 bytes, as in production: ids and stamps are signed. */
const SECRET = 'a secret that only benchmarks use, and nobody else'

export class Rig {
  readonly #pinning: Pinning
  readonly #children: Child[] = []
  readonly #redis: RedisServer[] = []

  constructor(pinning: Pinning) {
    this.#pinning = pinning
  }

  /** All nodes of a variant, ready. */
  async start(variant: Variant, options: SiteOptions): Promise<Site> {
    const { nodes, delayMs = 0, counted = false, spread = false, nodeFlags = [], config = {} } = options
    const redis = variant.redis ? await this.startRedis() : undefined
    const redisUrl = redis && `redis://${await this.#wire(`127.0.0.1:${redis.port}`, delayMs)}`
    const listens = (await freePorts(nodes)).map((port) => `127.0.0.1:${port}`)
    const wires = await this.#wires(variant, listens, delayMs, counted)
    const started = listens.map((listen, i) => {
      const spec = specOf(variant, { node: `node-${i}`, listen, peers: wires[i] ?? [], redis: redisUrl, config })
      return this.fork(variant.program, spec, nodeFlags, spread && i % 2 === 1 ? 'load' : 'servers')
    })
    await Promise.all(started.map((child) => child.listening()))
    await Promise.all(started.map((child) => child.ready()))
    return { variant, nodes: started, redis, listens }
  }

  /** One more node for a site without Redis, that knows all others; not yet ready. */
  async join({ variant, nodes, listens }: Site, place: Place, config: Partial<ClusterConfig> = {}): Promise<Child> {
    const [port = 0] = await freePorts(1)
    const self = { node: `node-${nodes.length}`, listen: `127.0.0.1:${port}` }
    return this.fork(variant.program, specOf(variant, { ...self, peers: listens, redis: undefined, config }), [], place)
  }

  /** One server, not yet ready. */
  fork(program: string, spec: ServerSpec, nodeFlags: readonly string[] = [], place: Place = 'servers'): Child {
    return this.#fork(program, 'server', { BENCH_SERVER: JSON.stringify(spec) }, nodeFlags, place)
  }

  async startRedis(): Promise<RedisServer> {
    const [port = 0] = await freePorts(1)
    const server = await RedisServer.start(port, this.#pinning.servers)
    this.#redis.push(server)
    return server
  }

  /** Addresses that lead to the targets, `delayMs` further away in each direction. */
  async relay(targets: readonly string[], delayMs: number): Promise<readonly string[]> {
    const relay = this.#fork('relay', 'relay', { BENCH_RELAY: JSON.stringify({ targets, delayMs }) }, [], 'load')
    await relay.ready()
    return relay.ports.map((port) => `127.0.0.1:${port}`)
  }

  /** TCP payload so far over each wire that a relay carries: of two counted nodes, from the first to the second and back. */
  async carried(): Promise<readonly Carried[]> {
    const relays = this.#children.filter(({ role }) => role === 'relay')
    return (await Promise.all(relays.map((relay) => relay.ask('carried', null)))).flat()
  }

  /** CPU of everything that was started here, and of this process. */
  async cpu(): Promise<CpuReading> {
    const ownMs: Record<Role, number> = { server: 0, redis: 0, relay: 0, generator: generatorMs() }
    for (const child of this.#children) ownMs[child.role] += await child.cpuMs()
    for (const server of this.#redis) ownMs.redis += await server.cpuMs()
    return { machineMs: machineCpuMs(), ownMs }
  }

  /** Ends all. Idempotent. */
  async close(): Promise<void> {
    const all = [...this.#children.splice(0), ...this.#redis.splice(0)]
    await Promise.all(all.map((one) => one.kill()))
  }

  #fork(
    program: string,
    role: Role,
    env: Readonly<Record<string, string>>,
    nodeFlags: readonly string[],
    place: Place,
  ): Child {
    const prefix = this.#pinning[place]
    const child = new Child({ program, role, env, prefix, nodeFlags })
    this.#children.push(child)
    return child
  }

  async #wire(target: string, delayMs: number): Promise<string> {
    if (delayMs === 0) return target
    const [address = target] = await this.relay([target], delayMs)
    return address
  }

  /** For each node, where it finds its peers. */
  async #wires(
    variant: Variant,
    listens: readonly string[],
    delayMs: number,
    counted: boolean,
  ): Promise<readonly (readonly string[])[]> {
    if (!isReplicated(variant)) return []
    const others = listens.map((own) => listens.filter((listen) => listen !== own))
    if (delayMs === 0 && !counted) return others
    const wired = await this.relay(others.flat(), delayMs)
    return others.map((peers, i) => wired.slice(i * peers.length, (i + 1) * peers.length))
  }
}

interface Seat {
  readonly node: string
  readonly listen: string
  readonly peers: readonly string[]
  readonly redis: string | undefined
  readonly config: Partial<ClusterConfig>
}

function specOf({ store, backend, configFile }: Variant, { node, listen, peers, redis, config }: Seat): ServerSpec {
  const seat = { node, listen, peers, ...(redis === undefined ? {} : { redis }) }
  if (store !== undefined) return { ...seat, store }
  if (configFile !== undefined) return { ...seat, configFile }
  if (backend === undefined) return seat
  const own: ClusterConfig = { name: 'bench', secret: SECRET, backend: withRedis(backend, redis), ...config }
  return { ...seat, config: own }
}

function withRedis(backend: BackendConfig, url: string | undefined): BackendConfig {
  if (url === undefined) return backend
  if (backend.type === 'redis') return { ...backend, url }
  if (backend.type === 'tiered') return { ...backend, far: { ...backend.far, url } }
  return backend
}

function isReplicated({ backend }: Variant): boolean {
  if (backend?.type === 'replicated') return true
  return backend?.type === 'tiered' && (backend.near?.type ?? 'replicated') === 'replicated'
}

function generatorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
