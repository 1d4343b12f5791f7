import { actorTag, type Dot, type IdOrigin } from '../session/session.js'
import type { ContextEntry } from './events.js'

interface Entry {
  readonly actor: number
  /** Every event of the actor up to here is included. */
  base: number
  /** Included events beyond a hole; undefined when there are none, which is nearly always. */
  extra: Set<number> | undefined
  /** As it was last told to a peer; undefined since it changed. */
  told: ContextEntry | undefined
}

const NONE: readonly number[] = []

/**
 * A causal context: which events are included. It only grows. What it claims is what a replica will never look at
 * again, so a context that claims more than was applied destroys data everywhere (Almeida et al. 2016, "causal
 * delta-merging condition"; DottedDB's node clocks, Goncalves et al. 2017).
 */
export class Context {
  readonly #entries = new Map<number, Entry>()
  /** The one asked for last: events come in runs of one actor, and each is asked about several times. */
  #last: Entry | undefined = undefined
  /** All of them by actor; undefined since one was added. */
  #ascending: readonly Entry[] | undefined = undefined

  static of(entries: readonly ContextEntry[]): Context {
    const context = new Context()
    context.join(entries)
    return context
  }

  has(dot: Dot): boolean {
    const entry = this.#known(dot.actor)
    return entry !== undefined && (dot.counter <= entry.base || entry.extra?.has(dot.counter) === true)
  }

  /**
   * Whether the event that an id names is included. Two actors whose low 32 bits agree make the answer uncertain; it
   * is then `false`, which costs one question to the peers and never refuses a session that is on its way.
   */
  hasOrigin(origin: IdOrigin): boolean {
    let found: number | undefined
    for (const actor of this.#entries.keys()) {
      if (actorTag(actor) !== origin.actorTag) continue
      if (found !== undefined) return false
      found = actor
    }
    return found !== undefined && this.has({ actor: found, counter: origin.counter })
  }

  /** The last event up to which nothing of the actor is missing; 0 for an unknown actor. */
  base(actor: number): number {
    return this.#known(actor)?.base ?? 0
  }

  add(dot: Dot): void {
    const entry = this.#entry(dot.actor)
    if (dot.counter <= entry.base) return
    entry.told = undefined
    if (dot.counter === entry.base + 1) {
      entry.base = dot.counter
      compact(entry)
    } else {
      entry.extra ??= new Set()
      entry.extra.add(dot.counter)
    }
  }

  /** Includes all events of the actor up to `counter`. */
  addUpTo(actor: number, counter: number): void {
    const entry = this.#entry(actor)
    if (counter <= entry.base) return
    entry.told = undefined
    entry.base = counter
    compact(entry)
  }

  /** Includes everything that `entries` include. */
  join(entries: readonly ContextEntry[]): void {
    for (const { actor, base, extra } of entries) {
      const entry = this.#entry(actor)
      if (base <= entry.base && extra.length === 0) continue
      entry.told = undefined
      entry.base = Math.max(entry.base, base)
      for (const counter of extra) {
        if (counter <= entry.base) continue
        entry.extra ??= new Set()
        entry.extra.add(counter)
      }
      compact(entry)
    }
  }

  /** Whether everything in `entries` is included here. */
  covers(entries: readonly ContextEntry[]): boolean {
    for (const entry of entries) if (!this.coversEntry(entry)) return false
    return true
  }

  coversEntry({ actor, base, extra }: ContextEntry): boolean {
    if (!this.hasUpTo(actor, base)) return false
    for (const counter of extra) if (!this.has({ actor, counter })) return false
    return true
  }

  /** Whether all events of the actor up to `counter` are included: no hole, because the base is always moved up to one. */
  hasUpTo(actor: number, counter: number): boolean {
    return counter <= this.base(actor)
  }

  /** As sent to peers: actors ascending, so that equal contexts have equal bytes. */
  entries(): readonly ContextEntry[] {
    this.#ascending ??= [...this.#entries.values()].sort((a, b) => a.actor - b.actor)
    return this.#ascending.map((entry) => (entry.told ??= tell(entry)))
  }

  #known(actor: number): Entry | undefined {
    if (this.#last?.actor === actor) return this.#last
    const entry = this.#entries.get(actor)
    if (entry !== undefined) this.#last = entry
    return entry
  }

  #entry(actor: number): Entry {
    let entry = this.#known(actor)
    if (entry === undefined) {
      this.#entries.set(actor, (entry = { actor, base: 0, extra: undefined, told: undefined }))
      this.#ascending = undefined
    }
    return entry
  }
}

function tell({ actor, base, extra }: Entry): ContextEntry {
  return { actor, base, extra: extra === undefined ? NONE : [...extra].sort((a, b) => a - b) }
}

/** Moves the base over what has become contiguous. */
function compact(entry: Entry): void {
  const { extra } = entry
  if (extra === undefined) return
  while (extra.delete(entry.base + 1)) entry.base++
  for (const counter of extra) if (counter <= entry.base) extra.delete(counter)
  if (extra.size === 0) entry.extra = undefined
}
