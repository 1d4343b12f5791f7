import type { Commit, CommitWrites, Concern, Event, LoadAnswer, Output, Stamp } from '../replica/events.js'
import { Reserved } from '../replica/events.js'
import type { Dot, IdHash } from '../session/session.js'
import { originOf, type IdCookie } from './jar.js'
import { mergingWrite } from './merging.js'
import type { Process, SimulatedNode } from './node.js'
import type { EventQueue } from './queue.js'
import type { Random } from './random.js'
import { afterRead, afterWrite, NOTHING_SEEN, type Seen } from './seen.js'

/** What the application does with a request. */
export interface Intent {
  readonly type: 'read' | 'write' | 'log-in' | 'log-out' | 'log-out-everywhere'
  readonly attributes: readonly string[]
  readonly principal: string
}

/** What a browser sends. */
export interface Ask {
  readonly browser: string
  readonly isParallel: boolean
  readonly intent: Intent
  readonly id: IdCookie | undefined
  readonly stamp: Stamp | undefined
  /** What the stamp stands for. */
  readonly seen: Seen
  /** What this browser had really seen of the session when it sent this. */
  readonly ideal: Seen
  readonly concern: Concern
}

/** What it gets back. */
export type Reply =
  | ServedReply
  | { readonly type: 'none'; readonly why: 'unknown' | 'rotated' | 'gone' }
  /** The session is over because the request asked for it. */
  | { readonly type: 'over' }
  | { readonly type: 'behind' }
  /** No answer came: whether anything was done is not known. */
  | { readonly type: 'failed' }

export interface ServedReply {
  readonly type: 'served'
  readonly birth: Dot
  readonly stale: boolean
  /** What the browser has seen of the session once it has this reply; its stamp stands for it. */
  readonly seen: Seen
  readonly stamp: Stamp | undefined
  /** A new id cookie. */
  readonly id: IdCookie | undefined
}

/** What an exchange needs of the world around it. */
export interface ExchangeHost {
  readonly queue: EventQueue
  readonly random: Random
  readonly lifetimes: { readonly maxIdleMs: number; readonly maxLifeMs: number }
  newRequest(exchange: Exchange, process: Process): number
  newId(): IdHash
  newValue(): Uint8Array
  over(exchange: Exchange): void
  loaded(exchange: Exchange, process: Process, answer: LoadAnswer): void
  committed(exchange: Exchange, process: Process, event: Event, outcome: 'done' | 'unknown'): void
}

/** How long a load may take at most, and how long a commit waits for confirmations, milliseconds. */
const LOAD_WITHIN_MS = 2_000
const CONFIRM_WITHIN_MS = 250
/** Accesses are noted at most once in this share of the idle lifetime. */
export const TOUCH_SHARE = 20

/** One request on one node: load, run the application, commit, answer; what a middleware does, without HTTP. */
export class Exchange {
  readonly ask: Ask
  readonly node: SimulatedNode
  readonly request: number
  readonly arrivedAt: number
  readonly #process: Process
  readonly #host: ExchangeHost
  readonly #reply: (reply: Reply) => void
  #isOver = false
  #birth: Dot | undefined = undefined
  #stale = false
  #stamp: Stamp | undefined
  #seen: Seen = NOTHING_SEEN
  #newId: IdHash | undefined = undefined
  #event: Event | undefined = undefined

  constructor(ask: Ask, node: SimulatedNode, process: Process, host: ExchangeHost, reply: (reply: Reply) => void) {
    this.ask = ask
    this.node = node
    this.#process = process
    this.#host = host
    this.#reply = reply
    this.#stamp = ask.stamp
    this.arrivedAt = host.queue.now
    this.request = host.newRequest(this, process)
    this.#begin()
  }

  /** Whether the request was served although the node lacked what the browser had seen. */
  get isStale(): boolean {
    return this.#stale
  }

  /** The replica says something about this request. */
  hear(output: Extract<Output, { type: 'loaded' | 'committed' }>): void {
    if (output.type === 'loaded') this.#loaded(output.answer)
    else this.#committed(output)
  }

  /** Its commit became this event. */
  became(event: Event): void {
    this.#event = event
  }

  /** The process is gone. */
  fail(): void {
    this.#answer({ type: 'failed' })
  }

  #begin(): void {
    const { id, stamp } = this.ask
    if (id === undefined) this.#create()
    else {
      this.node.whenRunning(() => {
        const deadline = this.node.now + LOAD_WITHIN_MS
        this.node.receive({ type: 'load', request: this.request, id: id.hash, origin: id.origin, deadline, stamp })
      })
    }
  }

  #loaded(answer: LoadAnswer): void {
    if (this.#isOver) return
    this.#host.loaded(this, this.#process, answer)
    switch (answer.state) {
      case 'behind':
        return this.#answer({ type: 'behind' })
      case 'none':
        // An implicit write of a request that came with a rotated id is dropped; a log-in always gets its session.
        if (this.ask.intent.type === 'log-in' || (this.ask.intent.type === 'write' && answer.why !== 'rotated')) {
          this.#host.queue.after(0, () => this.#create())
        } else this.#answer({ type: 'none', why: answer.why })
        return
      case 'found': {
        const session = this.#process.replica.state.live.get(answer.birth)
        if (session === undefined) return this.#answer({ type: 'behind' })
        this.#birth = answer.birth
        this.#stale = answer.stale
        const keeps = !answer.stale || standsFor(answer.stamp, this.ask.stamp)
        this.#seen = afterRead(keeps ? this.ask.seen : NOTHING_SEEN, session.registers)
        this.#stamp = answer.stamp
        const { random, queue } = this.#host
        const at = this.node.now
        if (at - session.touchedAt >= session.maxIdleMs / TOUCH_SHARE) {
          queue.after(0, () => this.node.receive({ type: 'touch', birth: answer.birth, at }))
        }
        queue.after(random.chance(0.05) ? random.between(0, 500) : random.between(0, 20), () =>
          this.#run(answer.birth),
        )
      }
    }
  }

  /** The application. */
  #run(birth: Dot): void {
    const { intent } = this.ask
    switch (intent.type) {
      case 'read':
        return this.#serve()
      case 'write':
        return this.#commit(() => ({ type: 'write', birth, writes: this.#writes() }))
      case 'log-in':
        return this.#commit(() => ({ type: 'rotate', birth, id: this.#makeId(), writes: this.#writes() }))
      case 'log-out':
        return this.#commit(() => ({ type: 'kill', birth, reason: 'destroyed' }))
      case 'log-out-everywhere':
        return this.#commit(() => ({ type: 'revoke', principal: intent.principal }))
    }
  }

  #create(): void {
    const { maxIdleMs, maxLifeMs } = this.#host.lifetimes
    this.#birth = undefined
    this.#stale = false
    this.#seen = NOTHING_SEEN
    this.#stamp = undefined
    this.#commit(() => ({
      type: 'create',
      id: this.#makeId(),
      base: { createdAt: this.node.now, maxIdleMs, maxLifeMs },
      writes: this.#writes(),
    }))
  }

  #commit(make: () => Commit): void {
    if (this.#isOver) return
    this.node.whenRunning(() => {
      if (this.#isOver) return
      const commit = make()
      const concern = commit.type === 'create' || commit.type === 'write' ? this.ask.concern : 'all'
      const deadline = this.node.now + CONFIRM_WITHIN_MS
      const stamp = this.#stamp
      this.node.receive({ type: 'commit', request: this.request, commit, concern, deadline, stamp })
    })
  }

  #committed({ outcome, stamp }: Extract<Output, { type: 'committed' }>): void {
    if (this.#isOver) return
    if (outcome === 'gone') return this.#answer({ type: 'over' })
    if (outcome === 'refused') return this.#answer({ type: 'behind' })
    const event = this.#event
    if (event === undefined) return this.fail()
    this.#host.committed(this, this.#process, event, outcome)
    if (event.type === 'kill' || event.type === 'revoke') return this.#answer({ type: 'over' })
    this.#birth = event.birth
    this.#seen = afterWrite(this.#seen, event)
    if (stamp !== undefined) this.#stamp = stamp
    this.#serve()
  }

  #serve(): void {
    const birth = this.#birth
    if (birth === undefined) return
    const made = this.#event
    const id =
      this.#newId === undefined || made === undefined
        ? undefined
        : { hash: this.#newId, origin: originOf(made.dot), birth }
    this.#answer({ type: 'served', birth, stale: this.#stale, seen: this.#seen, stamp: this.#stamp, id })
  }

  #answer(reply: Reply): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#host.over(this)
    this.#reply(reply)
  }

  #makeId(): IdHash {
    this.#newId = this.#host.newId()
    return this.#newId
  }

  #writes(): CommitWrites {
    const { intent } = this.ask
    const { random } = this.#host
    const writes = intent.attributes.map((name): CommitWrites[number] => {
      return mergingWrite(name, random, () => this.#host.newValue()) ?? { name, kind: 0, value: this.#value() }
    })
    if (intent.type === 'log-in') writes.push({ name: Reserved.principal, kind: 0, value: intent.principal })
    return writes
  }

  #value(): Uint8Array | null {
    return this.#host.random.chance(0.1) ? null : this.#host.newValue()
  }
}

/** Whether a browser that keeps `after` still remembers all that `before` listed. */
function standsFor(after: Stamp, before: Stamp | undefined): boolean {
  if (before === undefined) return true
  if (after.highest < before.highest) return false
  return before.dots.every((dot) =>
    after.dots.some((kept) => kept.actor === dot.actor && kept.counter >= dot.counter),
  )
}
