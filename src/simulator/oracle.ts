import { DotMap } from '../replica/dot-map.js'
import type { CommitWrites, Event, RegisterWrite } from '../replica/events.js'
import type { SessionEvent } from '../replica/sessions/session-state.js'
import type { Intent } from '../session/merged.js'
import type { Dot, IdHash } from '../session/session.js'
import { isMergingAttribute } from './merging.js'
import { eraOf, isWrittenBefore, type Written } from './seen.js'

/** Everything that was ever done to one session, by whomever. */
export interface History {
  readonly birth: Dot
  readonly changes: SessionEvent[]
  /** Those of them that add an id. */
  readonly naming: NamingEvent[]
  /** By attribute that merges: what they write to it. */
  readonly merging: Map<string, MergingWrite[]>
  /** By attribute that does not merge: those of them that write it, ascending by (hlc, actor). */
  readonly plain: Map<string, SessionEvent[]>
  readonly kills: KillEvent[]
  /** True time of its creation, and whether a node dated it that had nobody to doubt its clock by. */
  createdAt: number
  isMisdated: boolean
  /** True time of the last request it was served to, by which process, and whether that one's clock was far off. */
  accessedAt: number
  accessedBy: number
  accessClockWrong: boolean
}

/** What a request asked for, and which events of the session its node included once it was done. */
export interface Asked {
  readonly writes: CommitWrites
  readonly version: readonly Dot[]
}

/** What one event writes to an attribute that merges. */
export interface MergingWrite {
  readonly event: SessionEvent
  readonly write: RegisterWrite
  readonly at: Written
  /** The write from which on it counts. */
  readonly era: Written
}

export type NamingEvent = Extract<Event, { type: 'create' | 'rotate' }>
export type KillEvent = Extract<Event, { type: 'kill' }>
export type RevokeEvent = Extract<Event, { type: 'revoke' }>

/** The all-knowing observer: every event of every process, from the moment it was made. What must be true follows. */
export class Oracle {
  readonly events = new DotMap<Event>()
  readonly sessions = new DotMap<History>()
  readonly revocations: RevokeEvent[] = []
  /** By the event that added an id: the rotations that removed it. */
  readonly removers = new DotMap<Dot[]>()
  readonly ids = new Map<IdHash, Dot>()
  /** Ids under which more than one session was made, and all of these. */
  readonly shared = new Map<IdHash, readonly History[]>()
  /** By the event that a commit became. */
  readonly asked = new DotMap<Asked>()
  readonly counts = { create: 0, write: 0, rotate: 0, kill: 0, revoke: 0, merging: 0 }

  record(event: Event): void {
    this.events.set(event.dot, event)
    this.counts[event.type]++
    switch (event.type) {
      case 'kill':
        this.history(event.birth).kills.push(event)
        return
      case 'revoke':
        this.revocations.push(event)
        return
      case 'rotate':
        for (const drop of event.drops) this.#removersOf(drop).push(event.dot)
        this.ids.set(event.id, event.dot)
        break
      case 'create': {
        const before = this.ids.get(event.id)
        if (before !== undefined) this.#share(event.id, before, event.birth)
        this.ids.set(event.id, event.dot)
        break
      }
      case 'write':
        break
    }
    const history = this.history(event.birth)
    history.changes.push(event)
    if (event.type !== 'write') history.naming.push(event)
    for (const write of event.writes) {
      if (isMergingAttribute(write.name)) addMerging(history.merging, write, event)
      else addInOrder(history.plain, write.name, event)
    }
  }

  history(birth: Dot): History {
    let history = this.sessions.get(birth)
    if (history === undefined) {
      history = {
        birth,
        changes: [],
        naming: [],
        merging: new Map(),
        plain: new Map(),
        kills: [],
        createdAt: -Infinity,
        isMisdated: false,
        accessedAt: -Infinity,
        accessedBy: 0,
        accessClockWrong: false,
      }
      this.sessions.set(birth, history)
    }
    return history
  }

  /** The sessions that were made under an id: that of the birth alone, but for ids that somebody else made. */
  madeUnder(hash: IdHash, birth: Dot): readonly History[] {
    return this.shared.get(hash) ?? [this.history(birth)]
  }

  /** Notes what a commit asked for that became this event. */
  ask(dot: Dot, asked: Asked): void {
    this.asked.set(dot, asked)
    for (const { name } of asked.writes) if (isMergingAttribute(name)) this.counts.merging++
  }

  /** What the request of an event asked of an attribute that merges. */
  intent(dot: Dot, name: string): Intent | undefined {
    const value = this.asked.get(dot)?.writes.find((write) => write.name === name)?.value
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array || 'epoch' in value) return undefined
    return value
  }

  /** Number of events made so far. */
  get size(): number {
    return this.events.size
  }

  #share(hash: IdHash, before: Dot, birth: Dot): void {
    const others = this.shared.get(hash) ?? [this.history(before)]
    this.shared.set(hash, [...others, this.history(birth)])
  }

  #removersOf(dot: Dot): Dot[] {
    let removers = this.removers.get(dot)
    if (removers === undefined) this.removers.set(dot, (removers = []))
    return removers
  }
}

function addMerging(writes: Map<string, MergingWrite[]>, write: RegisterWrite, event: SessionEvent): void {
  const at = writtenBy(event)
  const merging = { event, write, at, era: eraOf(write.value, at) }
  const others = writes.get(write.name)
  if (others === undefined) writes.set(write.name, [merging])
  else others.push(merging)
}

/** Nearly all are later than those before. */
function addInOrder(writes: Map<string, SessionEvent[]>, name: string, event: SessionEvent): void {
  const events = writes.get(name)
  if (events === undefined) {
    writes.set(name, [event])
    return
  }
  let at = events.length
  while (at > 0 && isWrittenBefore(writtenBy(event), writtenBy(events[at - 1] as SessionEvent))) at--
  events.splice(at, 0, event)
}

function writtenBy({ hlc, dot }: SessionEvent): Written {
  return { hlc, actor: dot.actor }
}
