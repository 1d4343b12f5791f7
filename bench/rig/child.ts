/** A process of the rig that is node: a server or a relay. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Role } from '../method/window.js'
import type { OrderName, Orders, Report } from '../servers/orders.js'
import { processCpuMs } from './proc.js'

export interface ChildOptions {
  /** A file of bench/servers/, without its ending. */
  readonly program: string
  readonly role: Role
  readonly env: Readonly<Record<string, string>>
  /** A command that runs it, such as `taskset -c 0`. */
  readonly prefix: readonly string[]
  readonly nodeFlags: readonly string[]
}

const STARTED_WITHIN_MS = 60_000
const OUTPUT_KEPT = 20_000

export class Child {
  readonly program: string
  readonly role: Role
  ports: readonly number[] = []
  readonly #child: ChildProcess
  readonly #answers = new Map<number, (report: Extract<Report, { type: 'answer' }>) => void>()
  readonly #listening: Promise<void>
  readonly #ready: Promise<void>
  #orders = 0
  #output = ''
  #cpuMs = 0

  constructor({ program, role, env, prefix, nodeFlags }: ChildOptions) {
    this.program = program
    this.role = role
    const [command, ...args] = [...prefix, process.execPath]
    this.#child = fork(fileURLToPath(new URL(`../servers/${program}.js`, import.meta.url)), {
      env: { ...process.env, ...env },
      execPath: command ?? process.execPath,
      execArgv: [...args, ...nodeFlags],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (bytes: Buffer) => (this.#output = (this.#output + bytes.toString()).slice(-OUTPUT_KEPT)))
    }
    let listens = (): void => {}
    let isReady = (): void => {}
    const failing = new Promise<never>((_, reject) => {
      const fail = (why: string): void => reject(new Error(`${program} ${why}: ${lastWords(this.#output)}`))
      const late = setTimeout(() => fail(`was not ready within ${STARTED_WITHIN_MS} ms`), STARTED_WITHIN_MS)
      isReady = () => clearTimeout(late)
      this.#child.on('exit', (code, signal) => {
        clearTimeout(late)
        this.#abandon()
        fail(`ended (${signal ?? code})`)
      })
      this.#child.on('message', (report: Report) => {
        if (report.type === 'failed') fail(report.error)
      })
    })
    failing.catch(() => {})
    this.#listening = Promise.race([new Promise<void>((resolve) => (listens = resolve)), failing])
    const { promise, resolve } = settled()
    this.#ready = Promise.race([promise, failing])
    for (const waiting of [this.#listening, this.#ready]) waiting.catch(() => {})
    this.#child.on('message', (report: Report) => {
      if (report.type === 'listening') {
        this.ports = report.ports
        listens()
      } else if (report.type === 'ready') {
        isReady()
        resolve()
      } else if (report.type === 'answer') this.#answers.get(report.order)?.(report)
    })
  }

  get port(): number {
    return this.ports[0] ?? 0
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** The end of what it printed. */
  get output(): string {
    return this.#output
  }

  async listening(): Promise<void> {
    await this.#listening
  }

  async ready(): Promise<void> {
    await this.#ready
  }

  async ask<Name extends OrderName>(name: Name, argument: Orders[Name]['argument']): Promise<Orders[Name]['answer']> {
    const order = ++this.#orders
    const report = await new Promise<Extract<Report, { type: 'answer' }>>((resolve) => {
      this.#answers.set(order, resolve)
      if (this.#isGone) this.#abandon()
      else this.#child.send({ order, name, argument })
    })
    this.#answers.delete(order)
    if (report.error !== undefined) throw new Error(`${this.program}: ${report.error}`)
    // What was sent over IPC by the handler of the same name and type.
    return report.answer as Orders[Name]['answer']
  }

  /** CPU time so far; of a process that is gone, what was last seen. */
  async cpuMs(): Promise<number> {
    if (this.#isGone) return this.#cpuMs
    const ms = processCpuMs(this.pid) ?? (await this.ask('cpu', null))
    // A thread that ended takes its time along.
    this.#cpuMs = Math.max(this.#cpuMs, ms)
    return this.#cpuMs
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Ends it at once, without a goodbye. */
  async kill(): Promise<void> {
    if (this.#isGone) return
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await gone
  }

  get #isGone(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** Whoever waits for an answer of a process that is gone is told. */
  #abandon(): void {
    for (const [order, answer] of this.#answers) answer({ type: 'answer', order, error: 'the process ended' })
  }
}

/** The line that says what went wrong, or the last one. */
function lastWords(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  return lines.find((line) => /error/i.test(line) && !/^\s*at /.test(line)) ?? lines.at(-1) ?? 'it said nothing'
}

function settled(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>((done) => (resolve = done))
  return { promise, resolve: () => resolve() }
}
