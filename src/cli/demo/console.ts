import type { Paint } from '../paint.js'

export interface StepResult {
  readonly act: string
  readonly node: string
  readonly what: string
  readonly ok: boolean
  readonly ms: number
  readonly detail?: string
}

export interface ConsoleOptions {
  readonly write: (text: string) => void
  readonly paint: Paint
  readonly now: () => number
}

const NODE_WIDTH = 6
const WHAT_WIDTH = 60
const MS_WIDTH = 10
const INDENT = ' '.repeat(4 + NODE_WIDTH)

/** Prints the walk, step by step, aligned, and keeps what happened for `--json`. */
export class Console {
  readonly steps: StepResult[] = []
  readonly #options: ConsoleOptions
  #act = ''
  #running = 'starting'
  #closed = false

  constructor(options: ConsoleOptions) {
    this.#options = options
  }

  /** The step that has begun and not ended, for the message about a deadline. */
  get running(): string {
    return this.#running
  }

  get ok(): boolean {
    return this.steps.every((step) => step.ok)
  }

  act(title: string, line = ''): void {
    const { paint } = this.#options
    this.#act = title
    this.say(`\n${paint('bold', title)}${line === '' ? '' : `\n${INDENT}${paint('dim', line)}`}`)
  }

  say(text: string): void {
    if (!this.#closed) this.#options.write(`${text}\n`)
  }

  /** Nothing is printed any more: what is still under way was given up. */
  close(): void {
    this.#closed = true
  }

  /** Runs one step and prints it with its node and milliseconds. What it returns is printed beside it. */
  async step(node: string, what: string, work: () => Promise<string | void>): Promise<void> {
    const startedAt = this.#options.now()
    this.#running = `${this.#act}: ${what}`
    try {
      const detail = await work()
      const done = { act: this.#act, node, what, ok: true, ms: this.#since(startedAt) }
      this.#ended(detail ? { ...done, detail } : done)
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error)
      this.#ended({ act: this.#act, node, what, ok: false, ms: this.#since(startedAt), detail })
      throw new StepFailed(`${what}: ${detail}`)
    }
  }

  #ended(step: StepResult): void {
    if (this.#closed) return
    const { paint } = this.#options
    this.steps.push(step)
    const mark = step.ok ? paint('green', '✓') : paint('red', '✗')
    const ms = `${step.ms.toFixed(step.ms < 10 ? 1 : 0)} ms`
    const node = paint('bold', step.node.padEnd(NODE_WIDTH))
    this.say(`  ${mark} ${node}${step.what.padEnd(WHAT_WIDTH)}${ms.padStart(MS_WIDTH)}`)
    if (step.detail !== undefined) this.say(`${INDENT}${step.ok ? paint('dim', step.detail) : step.detail}`)
  }

  #since(startedAt: number): number {
    return Math.round((this.#options.now() - startedAt) * 10) / 10
  }
}

/** A step did not go as promised; it is printed already. */
export class StepFailed extends Error {}

/** What must hold in a step; `message` says what was found instead. */
export function expect(holds: boolean, message: string): asserts holds {
  if (!holds) throw new Error(message)
}
