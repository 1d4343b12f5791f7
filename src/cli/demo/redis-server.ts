import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CliError, Exit } from '../exit.js'
import { freePorts } from './ports.js'

const STARTED_WITHIN_MS = 10_000
const MISSING = 'redis-server is not on the PATH: apt-get install redis-server, or set REDIS_URL'

/** A Redis of the demo's own: on a free port of this host, keeps nothing on disk, ends with the demo. */
export class RedisServer {
  #child: ChildProcess | undefined
  #folder = ''

  /** Resolves with its URL as soon as it answers. */
  async start(): Promise<string> {
    const [port = 0] = await freePorts(1)
    this.#folder = await mkdtemp(join(tmpdir(), 'session-mesh-demo-'))
    const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', this.#folder, '--save', '', '--appendonly', 'no']
    const child = spawn('redis-server', settings, { stdio: 'ignore' })
    this.#child = child
    const failed = new Promise<never>((_, reject) => {
      child.once('error', () => reject(new CliError(Exit.unavailable, 'SESSION_MESH_DEMO', MISSING)))
      child.once('exit', (code) => reject(new Error(`redis-server ended at its start (exit code ${code})`)))
    })
    failed.catch(() => {})
    await Promise.race([answers(port), failed])
    return `redis://127.0.0.1:${port}/0`
  }

  async stop(): Promise<void> {
    this.#child?.removeAllListeners('exit').kill('SIGKILL')
    this.#child = undefined
    if (this.#folder !== '') await rm(this.#folder, { recursive: true, force: true })
  }
}

/** Resolves when somebody accepts connections on the port. */
async function answers(port: number): Promise<void> {
  const deadline = performance.now() + STARTED_WITHIN_MS
  while (performance.now() < deadline) {
    const accepted = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port })
      socket.once('connect', () => resolve(socket.destroy() !== undefined))
      socket.once('error', () => setTimeout(resolve, 20, false))
    })
    if (accepted) return
  }
  throw new Error(`redis-server did not answer within ${STARTED_WITHIN_MS / 1_000} s`)
}
