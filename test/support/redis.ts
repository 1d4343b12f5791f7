/**
 * Real Redis servers for tests, from the installed redis-server: on free ports of 127.0.0.1, without persistence, in a
 * temporary folder, ended by pid.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort } from '../free-port.js'

export type Setting = readonly [name: string, ...values: readonly string[]]

const STARTED_WITHIN_MS = 10_000

/** Servers that run, so that none outlives the tests, however these end. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** One redis-server, or one Sentinel. */
export class RedisServer {
  readonly port: number
  readonly #folder: string
  readonly #args: readonly string[]
  #process: ChildProcess | undefined

  private constructor(port: number, settings: readonly Setting[], mode: readonly string[], folder: string) {
    this.port = port
    this.#folder = folder
    const all: Setting[] = [['port', String(port)], ['bind', '127.0.0.1'], ['dir', folder], ['save', ''], ...settings]
    this.#args = [...mode, ...all.flatMap(([name, ...values]) => [`--${name}`, ...values])]
  }

  static async start(settings: readonly Setting[] = [], port?: number): Promise<RedisServer> {
    const folder = mkdtempSync(join(tmpdir(), 'session-mesh-redis-'))
    const server = new RedisServer(port ?? (await freePort()), settings, [], folder)
    await server.start()
    return server
  }

  /** A Sentinel keeps its state in its configuration file. */
  static async startSentinel(file: (folder: string) => string): Promise<RedisServer> {
    const folder = mkdtempSync(join(tmpdir(), 'session-mesh-sentinel-'))
    const server = new RedisServer(await freePort(), [], [file(folder), '--sentinel'], folder)
    await server.start()
    return server
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  async start(): Promise<void> {
    const child = spawn('redis-server', this.#args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#process = child
    running.add(child)
    child.once('exit', () => running.delete(child))
    let output = ''
    child.stdout.on('data', (text: Buffer) => (output = (output + text.toString()).slice(-4_000)))
    child.stderr.on('data', (text: Buffer) => (output = (output + text.toString()).slice(-4_000)))
    const exited = new Promise<never>((_, reject) => {
      child.once('exit', (code) => reject(new Error(`redis-server ended (${code}): ${output}`)))
      child.once('error', reject)
    })
    exited.catch(() => {})
    await Promise.race([this.#answers(), exited])
  }

  /** Ends it at once; what it held is lost. */
  async kill(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }

  /** Freezes it (SIGSTOP), as a host that vanished without a word; `false` lets it go on. */
  freeze(isFrozen: boolean): void {
    this.#process?.kill(isFrozen ? 'SIGSTOP' : 'SIGCONT')
  }

  async stop(): Promise<void> {
    this.freeze(false)
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** A client of this server, whatever backends do. Close it. */
  client(): Redis {
    const client = new Redis({ host: '127.0.0.1', port: this.port, protocol: 2 })
    client.on('error', () => {})
    return client
  }

  /** One command, on a connection of its own. */
  async command(...command: readonly (string | number)[]): Promise<unknown> {
    const [name = '', ...args] = command
    const client = this.client()
    try {
      return await client.call(String(name), args)
    } finally {
      client.disconnect()
    }
  }

  async #answers(): Promise<void> {
    const deadline = Date.now() + STARTED_WITHIN_MS
    const client = new Redis({ host: '127.0.0.1', port: this.port, protocol: 2, retryStrategy: () => 20 })
    client.on('error', () => {})
    try {
      while (Date.now() < deadline) {
        // A server that asks for a password is up, too.
        const answer = await client.ping().catch((error: unknown) => String(error))
        if (answer === 'PONG' || answer.includes('NOAUTH')) return
      }
      throw new Error(`redis-server on port ${this.port} does not answer`)
    } finally {
      client.disconnect()
    }
  }
}

/** Three primaries that share the slots, without replicas. */
export async function startRedisCluster(): Promise<readonly RedisServer[]> {
  const buses = [await freePort(), await freePort(), await freePort()]
  const settings = (bus: number): Setting[] => [
    ['cluster-enabled', 'yes'],
    ['cluster-config-file', 'nodes.conf'],
    ['cluster-node-timeout', '2000'],
    ['cluster-port', String(bus)],
  ]
  const servers = await Promise.all(buses.map((bus) => RedisServer.start(settings(bus))))
  const [first] = servers
  const ranges = [['0', '5460'], ['5461', '10922'], ['10923', '16383']] as const
  await Promise.all(servers.map((server, i) => server.command('cluster', 'addslotsrange', ...(ranges[i] ?? []))))
  for (const [i, { port }] of servers.entries()) {
    if (i > 0) await first?.command('cluster', 'meet', '127.0.0.1', port, buses[i] ?? 0)
  }
  for (const server of servers) {
    await until(async () => String(await server.command('cluster', 'info')).includes('cluster_state:ok'))
    await until(async () => String(await server.command('cluster', 'nodes')).split('connected').length > 3)
  }
  return servers
}

/** Resolves when `holds` does. */
export async function until(holds: () => Promise<boolean>, withinMs = 20_000): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('not in time')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
