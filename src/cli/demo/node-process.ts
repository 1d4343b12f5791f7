import { type ChildProcess, fork } from 'node:child_process'

export type Store = 'mesh' | 'memory'
export type NodeState = 'starting' | 'ready' | 'killed' | 'died'

/** One node as the page shows it. */
export interface NodeView {
  readonly name: string
  readonly port: number
  readonly pid: number | undefined
  readonly state: NodeState
  /** From the start of the process until it could serve every session. */
  readonly readyMs: number | undefined
}

export interface NodeProcessOptions {
  readonly entry: URL
  readonly now: () => number
  /** Called whenever the node's state changed. */
  readonly changed: () => void
  /** A node ended that nobody killed; `lines` is the end of what it printed. */
  readonly died: (name: string, how: string, lines: readonly string[]) => void
}

const READY_WITHIN_MS = 20_000
const STOP_WITHIN_MS = 2_000
const LINES_KEPT = 12

/** One process of the demo, over all its lives: same name and ports, a new process each time. */
export class NodeProcess {
  readonly #name: string
  readonly #port: number
  readonly #options: NodeProcessOptions
  readonly #env: NodeJS.ProcessEnv
  #child: ChildProcess | undefined
  #state: NodeState = 'starting'
  #readyMs: number | undefined
  #lines: string[] = []

  constructor(name: string, port: number, options: NodeProcessOptions, env: NodeJS.ProcessEnv) {
    this.#name = name
    this.#port = port
    this.#options = options
    this.#env = env
  }

  get view(): NodeView {
    const { pid } = this.#child ?? {}
    return { name: this.#name, port: this.#port, pid, state: this.#state, readyMs: this.#readyMs }
  }

  async start(store: Store): Promise<number> {
    if (this.#child !== undefined) throw new Error(`node ${this.#name} runs already`)
    const startedAt = this.#options.now()
    const child = fork(this.#options.entry, [], {
      env: { ...this.#env, SHOP_STORE: store },
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.#child = child
    this.#lines = []
    this.#enter('starting')
    child.stdout?.on('data', (bytes: Buffer) => this.#keep(bytes))
    child.stderr?.on('data', (bytes: Buffer) => this.#keep(bytes))
    child.once('exit', (code, signal) => this.#ended(child, signal ?? `exit code ${code}`))
    await reply(child, 'listening', READY_WITHIN_MS, `node ${this.#name} did not become ready`)
    this.#readyMs = this.#options.now() - startedAt
    this.#enter('ready')
    return this.#readyMs
  }

  async use(store: Store): Promise<string> {
    const child = this.#child
    if (child === undefined || this.#state !== 'ready') return ''
    const using = reply(child, 'using', READY_WITHIN_MS, `node ${this.#name} did not switch its store`)
    child.send({ use: store })
    return await using
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#state = 'killed'
    const gone = ended(child)
    child.kill('SIGKILL')
    await gone
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#state = 'killed'
    const gone = ended(child)
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
    child.kill('SIGTERM')
    await gone
    clearTimeout(timer)
  }

  #ended(child: ChildProcess, how: string): void {
    if (this.#child !== child) return
    this.#child = undefined
    this.#readyMs = undefined
    if (this.#state === 'killed') {
      this.#options.changed()
      return
    }
    this.#enter('died')
    this.#options.died(this.#name, how, this.#lines)
  }

  #enter(state: NodeState): void {
    this.#state = state
    this.#options.changed()
  }

  #keep(bytes: Buffer): void {
    const lines = bytes.toString('utf8').split('\n').filter((line) => line.trim() !== '')
    this.#lines = [...this.#lines, ...lines].slice(-LINES_KEPT)
  }
}

/** Resolves with the line that comes along with the child's next message of this type. */
function reply(child: ChildProcess, type: string, withinMs: number, otherwise: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void): void => {
      clearTimeout(timer)
      child.off('message', listen).off('exit', exit)
      settle()
    }
    const listen = (message: unknown): void => {
      const told = Object(message)
      if (told.type === type) finish(() => resolve(typeof told.line === 'string' ? told.line : ''))
    }
    const exit = (): void => finish(() => reject(new Error(`${otherwise}: its process ended`)))
    const late = (): void => finish(() => reject(new Error(`${otherwise} within ${withinMs} ms`)))
    const timer = setTimeout(late, withinMs)
    child.on('message', listen).on('exit', exit)
  })
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else child.once('exit', () => resolve())
  })
}
