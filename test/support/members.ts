import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { ClusterConfig } from '../../src/index.js'
import type { Command } from './member.js'
import { Relay } from './relay.js'

/** Compiled: processes of plain Node.js cannot read TypeScript. */
const COMPILED = import.meta.url.endsWith('.js') ? './member.js' : '../../dist/test/support/member.js'
const MEMBER = fileURLToPath(new URL(COMPILED, import.meta.url))

type Report =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly error: string }
  | { readonly type: 'answer'; readonly order: number; readonly answer?: unknown; readonly error?: string }
  | { readonly type: 'acknowledged'; readonly id: string; readonly number: number }

/** A member process as the test holds it. */
export class Member {
  readonly name: string
  readonly config: ClusterConfig
  readonly acknowledged: string[] = []
  /** Flags of the node binary, for profiles. */
  nodeFlags: readonly string[] = []
  port = 0
  #child: ChildProcess | undefined = undefined
  #orders = 0
  readonly #answers = new Map<number, (report: Extract<Report, { type: 'answer' }>) => void>()
  #ready: Promise<void> = Promise.resolve()
  #stderr = ''

  constructor(name: string, config: ClusterConfig) {
    this.name = name
    this.config = config
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  get stderr(): string {
    return this.#stderr
  }

  /** Resolves when the process listens; `ready()` when it can serve every session. */
  async start(): Promise<void> {
    if (!existsSync(MEMBER)) throw new Error('the members run from dist: npm run build first')
    const env = { ...process.env, SESSION_MESH_MEMBER: JSON.stringify(this.config) }
    const child = fork(MEMBER, { env, execArgv: [...this.nodeFlags], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    this.#child = child
    child.stderr?.on('data', (text: Buffer) => (this.#stderr = (this.#stderr + String(text)).slice(-20_000)))
    let listens: () => void = () => {}
    const listening = new Promise<void>((resolve) => (listens = resolve))
    this.#ready = new Promise((resolve, reject) => {
      child.on('message', (report: Report) => {
        if (report.type === 'listening') {
          this.port = report.port
          listens()
        } else if (report.type === 'ready') resolve()
        else if (report.type === 'failed') reject(new Error(`${this.name}: ${report.error}`))
        else if (report.type === 'acknowledged') this.acknowledged.push(report.id)
        else this.#answers.get(report.order)?.(report)
      })
      child.on('exit', (code, signal) => reject(new Error(`${this.name} ended (${code ?? signal})\n${this.#stderr}`)))
    })
    this.#ready.catch(() => {})
    await Promise.race([listening, this.#ready])
  }

  ready(): Promise<void> {
    return this.#ready
  }

  async ask<T>(command: Command): Promise<T> {
    const order = ++this.#orders
    const report = await new Promise<Extract<Report, { type: 'answer' }>>((resolve) => {
      this.#answers.set(order, resolve)
      this.#child?.send({ order, command })
    })
    this.#answers.delete(order)
    if (report.error !== undefined) throw new Error(`${this.name}: ${report.error}`)
    return report.answer as T
  }

  /** Lets go of the process: it ends by itself. */
  disconnect(): void {
    this.#child?.disconnect()
  }

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal)
  }

  /** Ends the process without a goodbye, and waits until it is gone. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}

export interface ClusterOptions {
  readonly size: number
  /** Puts a relay on every directed pair: delay and cuts. */
  readonly delayMs?: number
  readonly config?: Partial<ClusterConfig>
}

/** Several member processes, wired pair by pair through relays where asked for. */
export class Members {
  readonly members: Member[] = []
  readonly relays: { readonly from: number; readonly to: number; readonly relay: Relay }[] = []

  static async start({ size, delayMs, config }: ClusterOptions): Promise<Members> {
    const cluster = new Members()
    const ports = await freePorts(size)
    for (let i = 0; i < size; i++) {
      const peers: string[] = []
      for (let j = 0; j < size; j++) {
        if (i === j) continue
        if (delayMs === undefined) {
          peers.push(`127.0.0.1:${ports[j]}`)
          continue
        }
        const relay = new Relay(() => ({ host: '127.0.0.1', port: ports[j] ?? 0 }), delayMs)
        cluster.relays.push({ from: i, to: j, relay })
        peers.push(await relay.open())
      }
      const node = { id: `node-${i}`, listen: `127.0.0.1:${ports[i]}` }
      cluster.members.push(
        new Member(node.id, { name: 'test', node, peers, backend: { type: 'replicated' }, ...config } as ClusterConfig),
      )
    }
    await Promise.all(cluster.members.map((member) => member.start()))
    await Promise.all(cluster.members.map((member) => member.ready()))
    return cluster
  }

  member(i: number): Member {
    return this.members[i % this.members.length] as Member
  }

  /** The wires between one node and all others. */
  wiresOf(i: number): readonly Relay[] {
    return this.relays.filter(({ from, to }) => from === i || to === i).map(({ relay }) => relay)
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map((member) => lastWords(member)))
    await Promise.all(this.members.map((member) => member.kill()))
    await Promise.all(this.relays.map(({ relay }) => relay.close()))
  }
}

/** What a member has counted, for the canary that reads what every process says. One that is gone says nothing. */
async function lastWords({ port }: Member): Promise<void> {
  const asked = ['metrics', 'readyz'].map((path) => {
    return fetch(`http://127.0.0.1:${port}/${path}`, { signal: AbortSignal.timeout(1_000) }).then((answer) => answer.text())
  })
  await Promise.allSettled(asked)
}

/** Ports that were free a moment ago. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
