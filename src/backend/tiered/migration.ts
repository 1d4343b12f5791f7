import { BackendError } from '../../errors.js'
import type { Log } from '../../log.js'
import type { SessionBackend } from '../backend.js'
import { borrowed } from './borrowed.js'
import { copySessions, countDifferences, type CopyOptions, type Progress } from './copy.js'
import { SwitchableBackend } from './switchable.js'
import { TieredBackend } from './tiered.js'

export interface MigrationOptions {
  /** Open and ready, both; the migration neither opens nor closes them. */
  readonly from: SessionBackend
  readonly to: SessionBackend
  readonly now: () => number
  readonly log: Log
}

/** `from`, `to`: where reads are answered, writes go to both. `done`: `to` alone. */
export type MigrationPhase = 'idle' | 'from' | 'to' | 'done'

/**
 * Moves live sessions from one backend to another while requests run, and back as long as it is not finished:
 *
 *     start()        every write goes to both, reads to `from`
 *     backFill()     what was there before is copied; can be stopped and continued
 *     differences()  0: both hold the same
 *     switchReads()  reads go to `to`, writes still to both; switchBack() undoes it
 *     finish()       `to` alone; `from` can be closed
 *
 * `backend` is what the middleware uses all the time. Several nodes go through this side by side, one a phase ahead of
 * another: a write is in both before it is answered, and what is in both is one session with one birth, whose attributes
 * merge. Whatever one side misses while it is away is answered `unknown` and caught up.
 */
export class Migration {
  readonly backend: SwitchableBackend
  readonly #options: MigrationOptions
  #phase: MigrationPhase = 'idle'
  #pair: TieredBackend | undefined

  constructor(options: MigrationOptions) {
    this.#options = options
    this.backend = new SwitchableBackend(options.from)
  }

  get phase(): MigrationPhase {
    return this.#phase
  }

  async start(): Promise<void> {
    this.#expect('idle')
    await this.#serveFrom('from')
  }

  async backFill(options: CopyOptions = {}): Promise<Progress> {
    this.#expect('from', 'to')
    const { from, to } = this.#options
    return await copySessions(from, to, options)
  }

  /** How many sessions the two do not hold alike. Requests go on meanwhile. */
  async differences(): Promise<number> {
    this.#expect('from', 'to')
    const { from, to } = this.#options
    return await countDifferences(from, to)
  }

  async switchReads(): Promise<void> {
    this.#expect('from')
    await this.#serveFrom('to')
  }

  async switchBack(): Promise<void> {
    this.#expect('to')
    await this.#serveFrom('from')
  }

  /** Ends writing to both; as long as something waits for either it refuses to. */
  async finish(): Promise<void> {
    this.#expect('to')
    await this.#leave(this.#options.to)
    this.#phase = 'done'
  }

  /** Everything as before: `from` alone. */
  async cancel(): Promise<void> {
    this.#expect('from')
    await this.#leave(this.#options.from)
    this.#phase = 'idle'
  }

  async #serveFrom(side: 'from' | 'to'): Promise<void> {
    const { from, to, now, log } = this.#options
    const [near, far] = side === 'from' ? [from, to] : [to, from]
    const pair = new TieredBackend({
      near: borrowed(near),
      far: borrowed(far),
      mode: 'both',
      now,
      log,
      // Sessions are brought over as they are asked for, or by the back-fill, which can be paused.
      warmUpMax: -1,
    })
    await pair.open()
    await this.#change(pair)
    await this.#pair?.close()
    this.#pair = pair
    this.#phase = side
    log('info', 'migration', { phase: side })
  }

  async #leave(backend: SessionBackend): Promise<void> {
    await this.#change(backend)
    await this.#pair?.close()
    this.#pair = undefined
  }

  async #change(next: SessionBackend): Promise<void> {
    try {
      await this.backend.change(next, async () => {
        await this.#pair?.flush()
        const waiting = this.#pair?.waiting ?? 0
        if (waiting > 0) throw new BackendError(`${waiting} sessions wait to be written; the phase stays ${this.#phase}`)
      })
    } catch (error) {
      if (next instanceof TieredBackend) await next.close()
      throw error
    }
  }

  #expect(...phases: readonly MigrationPhase[]): void {
    if (phases.includes(this.#phase)) return
    throw new BackendError(`the migration is in phase ${this.#phase}, this needs ${phases.join(' or ')}`)
  }
}
