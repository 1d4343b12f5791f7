import { invariant } from '../../invariant.js'
import type { Dot } from '../../session/session.js'
import { floats, integers } from './column.js'
import { dotHash } from './hash.js'
import { NONE, SlotIndex } from './slot-index.js'

/** A handle: how often the slot was given away before, then the slot. */
const SLOTS_MAX = 2 ** 26
const ROUNDS_MAX = 2 ** 27

/** The sessions of one actor, in the order in which they came. */
interface Run {
  readonly actor: number
  /** Where `actor` is among all that there ever were. */
  readonly index: number
  first: number
  last: number
}

/**
 * A slot for each session that is held, found by its birth: the number under which columns and tables know it. A slot is
 * given away again when its session ends. Its handle is not: whoever kept one is told that it stands for nothing.
 */
export class HeldBirths {
  readonly #actors: number[] = []
  readonly #indexes = new Map<number, number>()
  readonly #runs = new Map<number, Run>()
  readonly #actorIndex = integers()
  readonly #counter = floats()
  readonly #round = integers()
  /** The neighbours in the run of the actor; of slots that are free, the next free one. */
  readonly #next = integers()
  readonly #before = integers()
  readonly #slots = new SlotIndex<Dot>((slot, birth) => this.#isBirth(slot, birth))
  #free = NONE
  #made = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Slots there ever were at once: what memory this takes. */
  get slots(): number {
    return this.#made
  }

  find(birth: Dot): number {
    return this.#slots.find(dotHash(birth), birth)
  }

  birth(slot: number): Dot {
    return { actor: this.#actors[this.#actorIndex.get(slot)] as number, counter: this.#counter.get(slot) }
  }

  handle(slot: number): number {
    return this.#round.get(slot) * SLOTS_MAX + slot
  }

  /** NONE where the session of this handle has ended. */
  slotOf(handle: number): number {
    const slot = handle % SLOTS_MAX
    return this.handle(slot) === handle ? slot : NONE
  }

  add(birth: Dot): number {
    const slot = this.#take()
    const run = this.#runOf(birth.actor, slot)
    this.#actorIndex.set(slot, run.index)
    this.#counter.set(slot, birth.counter)
    this.#before.set(slot, run.last)
    this.#next.set(slot, NONE)
    if (run.last !== NONE) this.#next.set(run.last, slot)
    run.last = slot
    this.#slots.add(dotHash(birth), slot)
    this.#size++
    return slot
  }

  delete(slot: number): void {
    const birth = this.birth(slot)
    const run = this.#runs.get(birth.actor)
    invariant(run !== undefined, 'a session that is held is among those of its actor')
    this.#slots.delete(dotHash(birth), slot)
    const [before, next] = [this.#before.get(slot), this.#next.get(slot)]
    if (before === NONE) run.first = next
    else this.#next.set(before, next)
    if (next === NONE) run.last = before
    else this.#before.set(next, before)
    if (run.first === NONE) this.#runs.delete(run.actor)
    this.#round.set(slot, (this.#round.get(slot) + 1) % ROUNDS_MAX)
    this.#next.set(slot, this.#free)
    this.#free = slot
    this.#size--
  }

  /** By actor, in the order in which they came, also those that come meanwhile. Only the last one given may go meanwhile. */
  *all(): Generator<number> {
    for (const run of this.#runs.values()) {
      for (let slot = run.first; slot !== NONE; ) {
        const next = this.#next.get(slot)
        const handle = this.handle(slot)
        yield slot
        slot = this.handle(slot) === handle ? this.#next.get(slot) : next
      }
    }
  }

  #take(): number {
    const slot = this.#free
    if (slot === NONE) {
      invariant(this.#made < SLOTS_MAX, 'more sessions than slots for them')
      this.#round.set(this.#made, 0)
      return this.#made++
    }
    this.#free = this.#next.get(slot)
    return slot
  }

  #runOf(actor: number, slot: number): Run {
    const held = this.#runs.get(actor)
    if (held !== undefined) return held
    const index = this.#indexes.get(actor) ?? this.#actors.push(actor) - 1
    this.#indexes.set(actor, index)
    const run = { actor, index, first: slot, last: NONE }
    this.#runs.set(actor, run)
    return run
  }

  #isBirth(slot: number, birth: Dot): boolean {
    return this.#counter.get(slot) === birth.counter && this.#actors[this.#actorIndex.get(slot)] === birth.actor
  }
}
