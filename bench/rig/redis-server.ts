/** A redis-server of the rig's own: nothing on disk, nothing left behind. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { processCpuMs } from './proc.js'

const STARTED_WITHIN_MS = 10_000
/** As people run it for sessions, but without persistence: a copy on disk would cost it more. */
const SETTINGS = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'] as const
/** Standard input is ours: when it closes, however this process ended, the server goes. */
const GUARD = 'redis-server "$@" >/dev/null 2>&1 & echo $!; read _; kill -9 $! 2>/dev/null'

export class RedisServer {
  readonly port: number
  readonly #guard: ChildProcess
  #pid = 0
  #cpuMs = 0

  private constructor(port: number, guard: ChildProcess) {
    this.port = port
    this.#guard = guard
  }

  static async start(port: number, prefix: readonly string[]): Promise<RedisServer> {
    const guarded = ['-c', GUARD, 'sh', '--port', String(port), ...SETTINGS]
    const [command, ...args] = [...prefix, 'sh', ...guarded]
    const guard = spawn(command ?? 'sh', args, { stdio: ['pipe', 'pipe', 'ignore'] })
    const server = new RedisServer(port, guard)
    const [line] = (await once(guard.stdout, 'data')) as [Buffer]
    server.#pid = Number(line.toString())
    const deadline = performance.now() + STARTED_WITHIN_MS
    while (!(await answers(port))) {
      if (performance.now() > deadline) throw new Error(`redis-server on port ${port} does not answer`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return server
  }

  get pid(): number {
    return this.#pid
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** CPU time so far; 0 where the platform does not say. */
  async cpuMs(): Promise<number> {
    this.#cpuMs = processCpuMs(this.#pid) ?? this.#cpuMs
    return this.#cpuMs
  }

  async kill(): Promise<void> {
    if (this.#guard.exitCode !== null || this.#guard.signalCode !== null) return
    const gone = once(this.#guard, 'exit')
    this.#guard.stdin?.end()
    await gone
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    const finish = (isUp: boolean): void => {
      socket.destroy()
      resolve(isUp)
    }
    socket.on('error', () => finish(false))
    socket.on('data', (bytes) => finish(bytes.toString().startsWith('+PONG')))
    socket.write('PING\r\n')
  })
}
