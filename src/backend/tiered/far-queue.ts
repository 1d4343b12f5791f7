import { LimitError } from '../../errors.js'
import type { Log } from '../../log.js'
import type { EndReason, SessionRef } from '../../session/session.js'
import type { SessionBackend } from '../backend.js'
import { birthText } from '../births.js'
import { BoundedMap } from '../memory/bounded-map.js'
import { within } from './answers.js'
import type { EndedRefs } from './ended-refs.js'

export interface FarQueueOptions {
  readonly near: SessionBackend
  readonly far: SessionBackend
  readonly ended: EndedRefs
  readonly now: () => number
  readonly log: Log
  /** No change waits longer than so many milliseconds, as long as the far backend keeps up. */
  readonly flushIntervalMs: number
  /** Sessions that may wait; beyond it the longest waiting goes at once, or is dropped and found again later. */
  readonly sessionsMax: number
  /** The far backend answers again. */
  readonly recovered: () => void
}

/** `done`: the far backend has it. `gone`: the session was over there. `failed`: queued, and tried again. */
export type Sent = 'done' | 'gone' | 'failed'

interface Pending {
  readonly ref: SessionRef
  /** Set: the session ends. Not set: what the near backend holds of it is merged. */
  readonly reason: EndReason | undefined
  /** Since when the far backend lacks something of it. */
  readonly since: number
}

interface Sending {
  readonly since: number
  readonly sent: Promise<Sent>
}

const AT_ONCE = 100
/** So many failures in a row end a flush: the far backend is not there. */
const FAILURES_MAX = 3
/** What was there at the flush before last, half an interval ago each, should be written by now. */
const BEHIND = 0.75
const RETRY_MS = 100
const RETRY_MAX_MS = 5_000
/** Sessions this node wrote to the far backend, remembered so that it takes back what a death overtook. */
const WRITTEN_MAX = 100_000
/** No session has this birth. */
const NOBODY: SessionRef = { actor: 0, counter: 0 }

/**
 * What the far backend does not have yet: which sessions changed, and which ended. A change is not kept as such: when its
 * turn comes the session is exported as it is by then, and merged, so that order does not matter, a session waits once
 * however often it changes, and repeating is harmless. One write per session is under way at a time.
 */
export class FarQueue {
  readonly #options: FarQueueOptions
  readonly #pending = new Map<string, Pending>()
  readonly #sending = new Map<string, Sending>()
  readonly #written = new BoundedMap<string, true>(WRITTEN_MAX)
  readonly #counts = { written: 0, failed: 0, dropped: 0 }
  #timer: NodeJS.Timeout | undefined
  #flushing: Promise<void> | undefined
  #failures = 0
  #retryAt = 0
  #downSince: number | undefined
  #hasDropped = false
  #isBehind = false

  constructor(options: FarQueueOptions) {
    this.#options = options
  }

  /** Sessions that wait or are under way. */
  get size(): number {
    return this.#pending.size + this.#sending.size
  }

  get isDown(): boolean {
    return this.#downSince !== undefined
  }

  /** Whether changes come faster than they can be written, so that some wait longer than promised. */
  get isBehind(): boolean {
    return this.#isBehind
  }

  /** For how long the far backend has lacked something, milliseconds. */
  get lagMs(): number {
    const [first] = this.#pending.values()
    const now = this.#options.now()
    const oldest = Array.from(this.#sending.values()).reduce((at, { since }) => Math.min(at, since), first?.since ?? now)
    return Math.max(0, now - oldest)
  }

  /** Whether something was dropped since this was asked last: only a walk over everything can tell what. */
  takeDropped(): boolean {
    const had = this.#hasDropped
    this.#hasDropped = false
    return had
  }

  /** Twice in the interval: a change waits for half of it, and has the other half to be written. */
  open(): void {
    this.#timer ??= setInterval(() => this.#tick(), this.#options.flushIntervalMs / 2)
  }

  /** Writes what waits, as far as that succeeds within the time. */
  async close(withinMs: number): Promise<void> {
    clearInterval(this.#timer)
    const emptied = async (): Promise<void> => {
      await this.#flushing
      await this.flush()
      await Promise.all(Array.from(this.#sending.values(), ({ sent }) => sent))
    }
    await within(emptied(), withinMs, undefined)
  }

  /** The session changed. */
  note(ref: SessionRef): void {
    const key = birthText(ref)
    if (this.#pending.has(key) || this.#options.ended.has(ref)) return
    this.#makeRoom()
    this.#pending.set(key, { ref, reason: undefined, since: this.#options.now() })
  }

  /** The session is over. */
  kill(ref: SessionRef, reason: EndReason): void {
    const key = birthText(ref)
    const before = this.#pending.get(key)
    if (before === undefined) this.#makeRoom()
    this.#pending.set(key, { ref, reason, since: before?.since ?? this.#options.now() })
  }

  /** Whether the far backend lacks something of the session. */
  isWaiting(ref: SessionRef): boolean {
    const key = birthText(ref)
    return this.#pending.has(key) || this.#sending.has(key)
  }

  /** Whether this node wrote the session to the far backend lately, or is about to. */
  knows(ref: SessionRef): boolean {
    const key = birthText(ref)
    return this.#pending.has(key) || this.#sending.has(key) || this.#written.get(key) === true
  }

  /** Writes what waits of one session now. `failed` also when that takes longer; it goes on nevertheless. */
  async push(ref: SessionRef, withinMs: number): Promise<Sent> {
    return await within(this.#pushed(birthText(ref)), withinMs, 'failed')
  }

  /** Resolves when what waits by now was written in its turn, or could not be, or after an interval: nobody hangs on this. */
  async caughtUp(): Promise<void> {
    // The first may have begun before.
    const twice = this.flush().then(async () => await this.flush())
    await within(twice, this.#options.flushIntervalMs, undefined)
  }

  /** Writes everything that waits by now. */
  flush(): Promise<void> {
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = undefined
    })
    return this.#flushing
  }

  /** Whether it answers: with nothing to write, nobody else would find out that it is there again. */
  async probe(): Promise<boolean> {
    try {
      await this.#options.far.exportOne(NOBODY)
      this.answered()
      return true
    } catch (error) {
      this.failed(error)
      return false
    }
  }

  /** Somebody else asked the far backend and got no answer. */
  failed(error: unknown): void {
    if (error instanceof LimitError) return
    const { now, log } = this.#options
    this.#counts.failed++
    // However many requests fail at once, that is one reason to wait longer.
    if (this.isDown && now() < this.#retryAt) return
    this.#retryAt = now() + Math.min(RETRY_MS * 2 ** Math.min(this.#failures++, 10), RETRY_MAX_MS)
    if (this.#downSince !== undefined) return
    this.#downSince = now()
    const message = error instanceof Error ? error.message : 'unknown'
    log('warn', 'far-backend-down', { message, detail: 'sessions go on; changes wait for it' })
  }

  answered(): void {
    this.#failures = 0
    if (this.#downSince === undefined) return
    const afterMs = this.#options.now() - this.#downSince
    this.#downSince = undefined
    this.#options.log('info', 'far-backend-up', { afterMs, waiting: this.#pending.size })
    this.#options.recovered()
  }

  counters(): Readonly<Record<string, number>> {
    return {
      session_mesh_far_waiting: this.size,
      session_mesh_far_lag_ms: this.lagMs,
      session_mesh_far_up: this.isDown ? 0 : 1,
      session_mesh_far_written_total: this.#counts.written,
      session_mesh_far_failures_total: this.#counts.failed,
      session_mesh_far_dropped_total: this.#counts.dropped,
    }
  }

  #tick(): void {
    this.#isBehind = !this.isDown && this.lagMs > this.#options.flushIntervalMs * BEHIND
    void this.flush()
  }

  async #flush(): Promise<void> {
    if (this.isDown && this.#options.now() < this.#retryAt) return
    if (this.isDown && !(await this.probe())) return
    const keys = [...this.#pending.keys()]
    let next = 0
    let failures = 0
    const worker = async (): Promise<void> => {
      while (next < keys.length && failures < FAILURES_MAX) {
        const key = keys[next++]
        if (key !== undefined && (await this.#pushed(key)) === 'failed') failures++
      }
    }
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, keys.length) }, worker))
  }

  async #pushed(key: string): Promise<Sent> {
    const before = await this.#sending.get(key)?.sent
    const entry = this.#pending.get(key)
    if (entry !== undefined) return await this.#start(key, entry)
    return (await this.#sending.get(key)?.sent) ?? before ?? 'done'
  }

  #start(key: string, entry: Pending): Promise<Sent> {
    const running = this.#sending.get(key)
    if (running !== undefined) return running.sent.then(() => this.#pushed(key))
    this.#pending.delete(key)
    const sent = this.#send(entry)
      .then((outcome) => {
        this.#counts.written++
        this.answered()
        return outcome
      })
      .catch((error: unknown): Sent => {
        this.failed(error)
        if (!this.#pending.has(key)) this.#pending.set(key, entry)
        return 'failed'
      })
      .finally(() => this.#sending.delete(key))
    this.#sending.set(key, { since: entry.since, sent })
    return sent
  }

  async #send({ ref, reason }: Pending): Promise<Sent> {
    const { near, far, ended } = this.#options
    if (reason !== undefined) {
      const { outcome } = await far.destroy(ref, reason, {})
      return outcome === 'gone' ? 'gone' : 'done'
    }
    const session = await near.exportOne(ref)
    // Over meanwhile: either it expired, and does so there too, or its end waits for its turn.
    if (session === undefined) return 'done'
    this.#written.set(birthText(ref), true)
    if ((await far.importOne(session)) !== 'dead') return 'done'
    // Ended by whoever could reach the far backend while we could not hear of it.
    ended.add(ref)
    await near.destroy(ref, 'destroyed', {})
    return 'gone'
  }

  #makeRoom(): void {
    if (this.#pending.size < this.#options.sessionsMax) return
    for (const [key, entry] of this.#pending) {
      if (!this.isDown && this.#sending.size < AT_ONCE && !this.#sending.has(key)) void this.#start(key, entry)
      else {
        this.#pending.delete(key)
        this.#counts.dropped++
        this.#hasDropped = true
      }
      return
    }
  }
}
