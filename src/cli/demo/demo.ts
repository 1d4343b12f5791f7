import { performance } from 'node:perf_hooks'
import { Exit } from '../exit.js'
import type { CliIo } from '../io.js'
import { paintFor } from '../paint.js'
import { check, type CheckResult } from './check.js'
import { Console, StepFailed } from './console.js'
import { Control, type Page } from './control.js'
import type { DemoOptions } from './options.js'
import { RoundRobinProxy } from './proxy.js'
import { Supervisor } from './supervisor.js'

/** A check takes seconds; these bounds only catch one that hangs. */
const DEADLINE_BASE_MS = 60_000
const DEADLINE_PER_CLICK_MS = 6

/** Something was not as promised. */
const FAILED = 1

const now = (): number => performance.now()

/** Nodes, proxy and page from start to end; whatever ends it, no process is left behind. */
export class Demo {
  readonly #options: DemoOptions
  readonly #io: CliIo
  readonly #console: Console
  readonly #supervisor: Supervisor
  readonly #control: Control
  readonly #proxy: RoundRobinProxy
  readonly #result: CheckResult = { loop: {}, load: {}, kill: {} }
  readonly #startedAt = now()
  #fail: (error: Error) => void = () => {}

  constructor(options: DemoOptions, entry: URL, page: Page, io: CliIo) {
    this.#options = options
    this.#io = io
    this.#console = new Console({
      write: (text) => void (options.json || io.stdout.write(text)),
      paint: paintFor(io.stdout, io.environment.variables),
      now,
    })
    this.#supervisor = new Supervisor({
      entry,
      now,
      nodes: options.nodes,
      store: options.store ?? 'mesh',
      backend: options.backend,
      changed: () => this.#control.changed(),
      died: (name, how, lines) => this.#died(name, how, lines),
    })
    this.#control = new Control(this.#supervisor, page)
    this.#proxy = new RoundRobinProxy({
      now,
      targets: () => this.#supervisor.nodes,
      control: (req, res) => this.#control.handle(req, res),
      answered: (answer) => this.#control.answered(answer),
    })
  }

  /** Resolves with the exit code. */
  async run(): Promise<number> {
    const failed = new Promise<never>((_, reject) => (this.#fail = reject))
    const interrupted = this.#interrupted()
    try {
      return await Promise.race([this.#play(), failed, interrupted])
    } catch (error) {
      this.#explain(error)
      return FAILED
    } finally {
      this.#console.close()
      this.#control.close()
      await Promise.all([this.#proxy.close(), this.#supervisor.stop()])
    }
  }

  async #play(): Promise<number> {
    const { check: checking, json, nodes, port: wanted, backend } = this.#options
    const port = await this.#proxy.open(wanted)
    await this.#console.step('all', `${nodes} nodes started, each a process, all ready (backend ${backend})`, async () => {
      await this.#supervisor.start()
      return this.#supervisor.nodes.map((node) => `${node.name} pid ${node.pid}`).join(', ')
    })
    if (checking) return await this.#check(port)

    const url = `http://127.0.0.1:${port}/demo`
    this.#console.say(`\nOpen ${url} in a browser. Ctrl-C ends it.`)
    if (json) this.#io.stdout.write(`${JSON.stringify({ url, nodes: this.#supervisor.nodes })}\n`)
    return await new Promise<never>(() => {})
  }

  async #check(port: number): Promise<number> {
    const { sessions, clicks, store } = this.#options
    const deadlineMs = DEADLINE_BASE_MS + DEADLINE_PER_CLICK_MS * sessions * clicks
    const timer = setTimeout(() => {
      this.#fail(new Error(`not done after ${deadlineMs / 1_000} s; it was at "${this.#console.running}"`))
    }, deadlineMs)
    try {
      const stage = { supervisor: this.#supervisor, proxy: this.#proxy, port, console: this.#console, now }
      await check(stage, this.#options, store === undefined ? ['memory', 'mesh'] : [store], this.#result)
    } finally {
      clearTimeout(timer)
    }
    this.#console.say(`\nEverything as promised, in ${this.#seconds()} s.`)
    if (this.#options.json) this.#printJson()
    return 0
  }

  /** The first Ctrl-C ends the demo in order, a second one at once. Nodes end with their parent anyway. */
  #interrupted(): Promise<number> {
    const { onSignal, exit } = this.#io
    let signals = 0
    return new Promise((resolve) => {
      const listener = (): void => {
        if (++signals > 1) exit(Exit.interrupted)
        resolve(this.#options.check ? Exit.interrupted : Exit.ok)
      }
      onSignal('SIGINT', listener)
      onSignal('SIGTERM', listener)
    })
  }

  #died(name: string, how: string, lines: readonly string[]): void {
    const last = lines.map((line) => `\n  ${name} | ${line}`).join('')
    const message = `node ${name} ended unexpectedly (${how})${last}`
    if (this.#options.check) this.#fail(new Error(message))
    else this.#io.stderr.write(`${message}\n`)
  }

  #explain(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    if (this.#options.json) this.#printJson(message)
    else if (!(error instanceof StepFailed)) this.#io.stderr.write(`session-mesh demo: ${message}\n`)
    this.#console.say(`\nNot as promised, after ${this.#seconds()} s.`)
  }

  #printJson(error?: string): void {
    const { backend, nodes, sessions, clicks, concurrency } = this.#options
    const size = { backend, nodes, sessions, clicks, concurrency }
    const { steps } = this.#console
    const ok = error === undefined
    const told = { ok, error, seconds: this.#seconds(), ...size, ...this.#result, steps }
    this.#io.stdout.write(`${JSON.stringify(told, null, 2)}\n`)
  }

  #seconds(): number {
    return Math.round((now() - this.#startedAt) / 100) / 10
  }
}
