import type { LoadOptions, LoadResult, PortableSession, SeenTokens, SessionBackend, SessionEvent } from '../../src/backend/backend.js'
import type { SessionRecord, SessionRef } from '../../src/session/session.js'
import { Remote } from '../backend/tiered/support.js'

/** A clock beside that of the machine. It leaps between the calls that translate between the two, not during one. */
export class LeapingClock {
  readonly now: () => number
  readonly #underway = new Set<Promise<unknown>>()
  readonly #stoodAt: number | undefined
  #leaptMs = 0
  #leaping: Promise<void> | undefined

  /** One that stands still between leaps lets no deadline pass because the machine is slow. */
  constructor(between: 'runs' | 'stands still') {
    const stoodAt = between === 'runs' ? undefined : Date.now()
    this.#stoodAt = stoodAt
    this.now = () => (stoodAt ?? Date.now()) + this.#leaptMs
  }

  /** How far it is ahead of the machine's; behind where that is negative. */
  get aheadMs(): number {
    return this.#leaptMs - (this.#stoodAt === undefined ? 0 : Date.now() - this.#stoodAt)
  }

  async during<T>(call: (aheadMs: number) => Promise<T>): Promise<T> {
    while (this.#leaping !== undefined) await this.#leaping
    const running = call(this.aheadMs)
    this.#underway.add(running)
    return await running.finally(() => this.#underway.delete(running))
  }

  /** Whatever `act` does, no call is under way meanwhile. */
  async leap(act: (forward: (ms: number) => void) => Promise<void>): Promise<void> {
    const leap = async (): Promise<void> => {
      await Promise.allSettled(this.#underway)
      await act((ms) => void (this.#leaptMs += ms))
    }
    this.#leaping = leap().finally(() => {
      this.#leaping = undefined
    })
    await this.#leaping
  }
}

/**
 * A Redis as somebody sees it who has another clock. Redis has the clock of the machine and no other, so a test puts the
 * clocks of its nodes forward, makes what Redis holds as much older, and translates what goes to and fro.
 */
export class Shifted extends Remote {
  readonly #clock: LeapingClock

  constructor(redis: SessionBackend, clock: LeapingClock) {
    super(redis)
    this.#clock = clock
  }

  override async load(id: string, seen: SeenTokens | undefined, options: LoadOptions): Promise<LoadResult> {
    return await this.#clock.during(async (aheadMs) => {
      const answer = await super.load(id, seen, { deadline: options.deadline - aheadMs })
      return answer.state === 'found' ? { ...answer, session: later(answer.session, aheadMs) } : answer
    })
  }

  override async read(ref: SessionRef): Promise<SessionRecord | undefined> {
    return await this.#clock.during(async (aheadMs) => {
      const record = await super.read(ref)
      return record === undefined ? undefined : later(record, aheadMs)
    })
  }

  override touch(ref: SessionRef, at: number): void {
    super.touch(ref, at - this.#clock.aheadMs)
  }

  override async *exportAll(cursor?: string): AsyncGenerator<PortableSession> {
    const sessions: PortableSession[] = []
    await this.#clock.during(async (aheadMs) => {
      for await (const session of super.exportAll(cursor)) sessions.push(shifted(session, aheadMs))
    })
    yield* sessions
  }

  override async exportOne(ref: SessionRef): Promise<PortableSession | undefined> {
    return await this.#clock.during(async (aheadMs) => {
      const session = await super.exportOne(ref)
      return session === undefined ? undefined : shifted(session, aheadMs)
    })
  }

  override async importOne(session: PortableSession): Promise<'imported' | 'known' | 'dead'> {
    return await this.#clock.during(async (aheadMs) => await super.importOne(shifted(session, -aheadMs)))
  }

  /** Redis itself tells who caused an event. */
  override subscribe(listener: (event: SessionEvent) => void): () => void {
    return this.inner.subscribe(listener)
  }

  override async close(): Promise<void> {
    await this.inner.close()
  }
}

function later(record: SessionRecord, ms: number): SessionRecord {
  return { ...record, createdAt: record.createdAt + ms, lastAccessedAt: record.lastAccessedAt + ms }
}

function shifted(session: PortableSession, ms: number): PortableSession {
  return { ...session, createdAt: session.createdAt + ms, touchedAt: session.touchedAt + ms }
}
