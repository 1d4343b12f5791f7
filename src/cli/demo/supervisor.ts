import { randomBytes } from 'node:crypto'
import { NodeProcess, type NodeProcessOptions, type NodeView, type Store } from './node-process.js'
import type { DemoBackend } from './options.js'
import { freePorts } from './ports.js'
import { RedisServer } from './redis-server.js'

export interface SupervisorOptions extends NodeProcessOptions {
  readonly nodes: number
  readonly store: Store
  readonly backend: DemoBackend
}

/** The nodes of the demo: real processes, started, killed with signal 9, started again on the same ports. */
export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #redis = new RedisServer()
  #nodes: NodeProcess[] = []
  #store: Store
  #line = ''

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#store = options.store
  }

  get nodes(): readonly NodeView[] {
    return this.#nodes.map((node) => node.view)
  }

  get store(): Store {
    return this.#store
  }

  /** The one line of the shop that names the store in use. */
  get line(): string {
    return this.#line
  }

  /** Starts all nodes at once; resolves when each of them can serve every session. */
  async start(): Promise<void> {
    const { nodes: count } = this.#options
    const ports = await freePorts(2 * count)
    const gossip = ports.slice(count).map((port) => `127.0.0.1:${port}`)
    const secret = randomBytes(32).toString('base64url')
    const { backend } = this.#options
    const redis = backend === 'replicated' ? undefined : (process.env['REDIS_URL'] ?? (await this.#redis.start()))
    this.#nodes = ports.slice(0, count).map((port, index) => {
      const name = String.fromCharCode('a'.charCodeAt(0) + index)
      return new NodeProcess(name, port, this.#options, {
        ...process.env,
        NODE_ENV: 'production',
        PORT: String(port),
        CLUSTER_SECRET: secret,
        SESSION_MESH_NODE: name,
        SESSION_MESH_LISTEN: gossip[index] ?? '',
        SESSION_MESH_PEERS: gossip.join(','),
        SHOP_BACKEND: backend,
        ...(redis === undefined ? {} : { REDIS_URL: redis }),
      })
    })
    await Promise.all(this.#nodes.map((node) => node.start(this.#store)))
    await this.use(this.#store)
  }

  /** kill -9. Resolves when the process is gone. */
  async kill(name: string): Promise<void> {
    await this.#named(name).kill()
  }

  /** Starts a killed node again; resolves when it can serve every session, with how long that took. */
  async restart(name: string): Promise<number> {
    const node = this.#named(name)
    const store = this.#store
    const ms = await node.start(store)
    if (store !== this.#store) await node.use(this.#store)
    return ms
  }

  /** Puts the other line into the shop of every node. With MemoryStore, each switch begins empty. */
  async use(store: Store): Promise<void> {
    this.#store = store
    const lines = await Promise.all(this.#nodes.map((node) => node.use(store)))
    this.#line = lines.find((line) => line !== '') ?? this.#line
    this.#options.changed()
  }

  /** Ends every node; none outlives this. */
  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.stop()))
    await this.#redis.stop()
  }

  #named(name: string): NodeProcess {
    const found = this.#nodes.find((node) => node.view.name === name)
    if (found === undefined) throw new Error(`there is no node ${name}`)
    return found
  }
}
