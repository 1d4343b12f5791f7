import type { LoadOptions, LoadResult, PortableSession, SeenTokens, SessionBackend, SessionEvent } from '../../src/backend/backend.js'
import type { SessionRecord, SessionRef } from '../../src/session/session.js'
import { Remote } from '../backend/tiered/support.js'

/**
 * A Redis as somebody sees it whose clock is ahead. Redis has the clock of the machine and no other, so a test puts the
 * clocks of its nodes forward, makes what Redis holds as much older, and translates what goes to and fro.
 */
export class Shifted extends Remote {
  readonly #aheadMs: () => number

  constructor(redis: SessionBackend, aheadMs: () => number) {
    super(redis)
    this.#aheadMs = aheadMs
  }

  override async load(id: string, seen: SeenTokens | undefined, options: LoadOptions): Promise<LoadResult> {
    const answer = await super.load(id, seen, { deadline: options.deadline - this.#aheadMs() })
    return answer.state === 'found' ? { ...answer, session: this.#ours(answer.session) } : answer
  }

  override async read(ref: SessionRef): Promise<SessionRecord | undefined> {
    const record = await super.read(ref)
    return record === undefined ? undefined : this.#ours(record)
  }

  override touch(ref: SessionRef, at: number): void {
    super.touch(ref, at - this.#aheadMs())
  }

  override async *exportAll(cursor?: string): AsyncGenerator<PortableSession> {
    for await (const session of super.exportAll(cursor)) yield shifted(session, this.#aheadMs())
  }

  override async exportOne(ref: SessionRef): Promise<PortableSession | undefined> {
    const session = await super.exportOne(ref)
    return session === undefined ? undefined : shifted(session, this.#aheadMs())
  }

  override async importOne(session: PortableSession): Promise<'imported' | 'known' | 'dead'> {
    return await super.importOne(shifted(session, -this.#aheadMs()))
  }

  /** Redis itself tells who caused an event. */
  override subscribe(listener: (event: SessionEvent) => void): () => void {
    return this.inner.subscribe(listener)
  }

  override async close(): Promise<void> {
    await this.inner.close()
  }

  #ours(record: SessionRecord): SessionRecord {
    const ms = this.#aheadMs()
    return { ...record, createdAt: record.createdAt + ms, lastAccessedAt: record.lastAccessedAt + ms }
  }
}

function shifted(session: PortableSession, ms: number): PortableSession {
  return { ...session, createdAt: session.createdAt + ms, touchedAt: session.touchedAt + ms }
}
