import type { Event, Fragment } from '../replica/events.js'
import { hlcAt } from '../replica/hlc.js'
import type { IdHash } from '../session/session.js'
import type { Browser } from './browser.js'
import { originOf } from './jar.js'
import type { Process, SimulatedNode } from './node.js'
import type { EventQueue } from './queue.js'
import type { Random } from './random.js'

/** What imports need of the world around them. */
export interface ImportHost {
  readonly queue: EventQueue
  readonly nodes: readonly SimulatedNode[]
  readonly browsers: readonly Browser[]
  readonly lifetimes: { readonly maxIdleMs: number; readonly maxLifeMs: number }
  /** Whether people have gone home. */
  readonly isQuiet: boolean
  newId(): IdHash
  newValue(): Uint8Array
  /** A session was made elsewhere, by the clock of a node that will take it over. */
  madeElsewhere(event: CreateEvent, by: SimulatedNode, process: Process): void
}

export type CreateEvent = Extract<Event, { type: 'create' }>

const EVERY_MS = 15_000
/** A second node takes the same session over, or the same node again, after up to this, milliseconds. */
const AGAIN_WITHIN_MS = 20_000
const ATTRIBUTE = 'cart'

/** Sessions of another backend, which one or two nodes take over; then a browser goes on with one. */
export class Imports {
  readonly #host: ImportHost
  readonly #random: Random
  /** Who made them, elsewhere. */
  readonly #actor: number
  #counter = 0

  constructor(host: ImportHost, random: Random) {
    this.#host = host
    this.#random = random
    this.#actor = random.actor()
    this.#planNext()
  }

  #planNext(): void {
    this.#host.queue.after(this.#random.exponential(EVERY_MS), () => {
      if (this.#host.isQuiet) return
      this.#bring()
      this.#planNext()
    })
  }

  #bring(): void {
    const { queue, nodes, browsers } = this.#host
    const first = this.#random.pick(nodes)
    const second = this.#random.pick(nodes)
    const browser = this.#random.pick(browsers)
    const againMs = this.#random.chance(0.6) ? this.#random.between(0, AGAIN_WITHIN_MS) : undefined
    if (first.process === undefined || !mayImport(first)) return
    const event = this.#create(first.now)
    this.#host.madeElsewhere(event, first, first.process)
    const fragment = fragmentOf(event)
    first.receive({ type: 'import', request: 0, fragment })
    browser.jar.id = { hash: event.id, origin: originOf(event.dot), birth: event.birth }
    if (againMs === undefined) return
    queue.after(againMs, () => {
      if (mayImport(second)) second.receive({ type: 'import', request: 0, fragment })
    })
  }

  /** As it was made elsewhere, a moment ago. */
  #create(now: number): CreateEvent {
    const dot = { actor: this.#actor, counter: ++this.#counter }
    const { maxIdleMs, maxLifeMs } = this.#host.lifetimes
    return {
      type: 'create',
      dot,
      birth: dot,
      hlc: hlcAt(now),
      touchedAt: now,
      base: { createdAt: now, maxIdleMs, maxLifeMs },
      id: this.#host.newId(),
      writes: [{ name: ATTRIBUTE, kind: 0, value: this.#host.newValue() }],
    }
  }
}

/** Nodes take sessions over while they serve. */
function mayImport(node: SimulatedNode): boolean {
  return !node.isPaused && node.process?.replica.roster.isReady === true
}

function fragmentOf({ birth, base, touchedAt, hlc, id, dot, writes }: CreateEvent): Fragment {
  return {
    birth,
    base,
    touchedAt,
    highest: hlc,
    ids: [{ hash: id, dot }],
    removedIds: [],
    version: [dot],
    registers: writes.flatMap(({ name, kind, value }) => {
      return value instanceof Uint8Array ? [{ name, kind, value, hlc, dot }] : []
    }),
  }
}
