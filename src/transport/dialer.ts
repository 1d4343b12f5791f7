import type { Bounds } from './limits.js'

/** Keeps one configured address connected: when to dial, and how long to wait after a failure. */
export class Dialer {
  readonly address: string
  readonly #dial: (dialer: Dialer) => void
  readonly #random: () => number
  readonly #bounds: Bounds
  #failures = 0
  #timer: NodeJS.Timeout | undefined
  #state: 'idle' | 'waiting' | 'dialling' | 'covered' | 'stopped' = 'idle'
  /** Who answered here last. */
  actor: number | undefined
  /** Why the last attempt failed; undefined since a success. */
  lastRule: string | undefined

  constructor(address: string, dial: (dialer: Dialer) => void, random: () => number, bounds: Bounds) {
    this.address = address
    this.#dial = dial
    this.#random = random
    this.#bounds = bounds
  }

  /** Dials at once, unless it is dialling. */
  dialNow(): void {
    if (this.#state === 'dialling' || this.#state === 'stopped') return
    clearTimeout(this.#timer)
    this.#state = 'dialling'
    this.#dial(this)
  }

  /** The attempt did not become a link: again, later each time. */
  failed(rule: string): void {
    this.lastRule = rule
    if (this.#state === 'dialling') this.#wait(rule === 'self' ? this.#bounds.redialSelfMs : this.#backOff())
  }

  /** A link to who answers here is up, whoever dialled it. */
  covered(): void {
    if (this.#state === 'stopped') return
    clearTimeout(this.#timer)
    this.lastRule = undefined
    this.#state = 'covered'
  }

  /** That link is down. Dials at once if it had lasted; a link that never lasts is a failing attempt too. */
  lost(hadLasted: boolean): void {
    if (this.#state !== 'covered') return
    if (hadLasted) {
      this.#failures = 0
      this.dialNow()
    } else {
      this.#wait(this.#backOff())
    }
  }

  /** For good. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#state = 'stopped'
  }

  #wait(ms: number): void {
    this.#state = 'waiting'
    this.#timer = setTimeout(() => this.dialNow(), ms)
  }

  /**
   * Doubles from the shortest to the longest wait; half of each is dice, so that nodes do not dial in step.
   */
  #backOff(): number {
    const { redialMinMs, redialMaxMs } = this.#bounds
    const longest = Math.min(redialMaxMs, redialMinMs * 2 ** Math.min(this.#failures++, 20))
    return longest * (0.5 + this.#random() / 2)
  }
}
