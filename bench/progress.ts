/** What people see while it runs, on stderr: one line that is overwritten on a terminal, else a line per trial. */
import type { Step } from './run.js'

export interface ProgressOptions {
  readonly write: (text: string) => void
  readonly isTerminal: boolean
  readonly hasColor: boolean
  readonly nowMs: () => number
}

export class Progress {
  readonly #options: ProgressOptions
  readonly #total: number
  readonly #startedMs: number
  readonly #plannedSeconds: number
  #done = 0
  #doneSeconds = 0

  constructor(steps: readonly Step[], options: ProgressOptions) {
    this.#options = options
    this.#total = steps.length
    this.#plannedSeconds = steps.reduce((sum, { trial }) => sum + trial.seconds, 0)
    this.#startedMs = options.nowMs()
  }

  began({ question, trial, round }: Step): void {
    const count = `${this.#done + 1}/${this.#total}`
    this.#show(`${count} ${question.name} ${trial.variant}, round ${round + 1}, ${leftText(this.secondsLeft())} left`)
  }

  measured({ trial }: Step): void {
    this.#done++
    this.#doneSeconds += trial.seconds
  }

  /** By what the plan says, as wrong as it has been so far. */
  secondsLeft(): number {
    const passed = (this.#options.nowMs() - this.#startedMs) / 1_000
    const slower = this.#doneSeconds > 0 ? passed / this.#doneSeconds : 1
    return Math.max(0, (this.#plannedSeconds - this.#doneSeconds) * slower)
  }

  end(): void {
    if (this.#options.isTerminal) this.#options.write('\r\u001b[2K')
  }

  #show(text: string): void {
    const { write, isTerminal, hasColor } = this.#options
    if (!isTerminal) write(`${text}\n`)
    else write(hasColor ? `\r\u001b[2K\u001b[2m${text}\u001b[22m` : `\r\u001b[2K${text}`)
  }
}

function leftText(seconds: number): string {
  const whole = Math.round(seconds)
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')} min`
}
