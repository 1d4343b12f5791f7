import { deferred, type Deferred } from '../../deferred.js'
import type { EndReason, SessionDelta, SessionRecord, SessionRef } from '../../session/session.js'
import type {
  Answer, BackendHealth, BackendPowers, CommitOptions, Committed, Created, CreateOptions, LoadOptions, LoadResult,
  PortableSession, Rotated, SeenTokens, SessionBackend, SessionEvent,
} from '../backend.js'

/**
 * A backend in whose place another can be put while requests run. For the moment of the change requests that come wait,
 * those under way end first, so that none of them sees half of each.
 */
export class SwitchableBackend implements SessionBackend {
  readonly type = 'switchable'
  #current: SessionBackend
  #gate: Promise<void> | undefined
  #running = 0
  #idle: Deferred<void> | undefined
  readonly #listeners = new Map<(event: SessionEvent) => void, () => void>()

  constructor(current: SessionBackend) {
    this.#current = current
  }

  get powers(): BackendPowers {
    return this.#current.powers
  }

  get current(): SessionBackend {
    return this.#current
  }

  /** `prepare` runs while no request does; then `next` is the backend. Where it fails everything stays as it was. */
  async change(next: SessionBackend, prepare: () => Promise<void>): Promise<void> {
    while (this.#gate !== undefined) await this.#gate
    const gate = deferred<void>()
    this.#gate = gate.promise
    try {
      if (this.#running > 0) await (this.#idle = deferred<void>()).promise
      await prepare()
      this.#current = next
      for (const [listener, stop] of this.#listeners) {
        stop()
        this.#listeners.set(listener, next.subscribe(listener))
      }
    } finally {
      this.#gate = undefined
      gate.resolve()
    }
  }

  load(id: string, seen: SeenTokens | undefined, options: LoadOptions): Answer<LoadResult> {
    return this.#run((backend) => backend.load(id, seen, options))
  }

  read(ref: SessionRef): Answer<SessionRecord | undefined> {
    return this.#run((backend) => backend.read(ref))
  }

  create(delta: SessionDelta, options: CreateOptions): Answer<Created> {
    return this.#run((backend) => backend.create(delta, options))
  }

  save(ref: SessionRef, delta: SessionDelta, options: CommitOptions): Answer<Committed> {
    return this.#run((backend) => backend.save(ref, delta, options))
  }

  rotate(ref: SessionRef, delta: SessionDelta, options: CommitOptions): Answer<Rotated> {
    return this.#run((backend) => backend.rotate(ref, delta, options))
  }

  destroy(ref: SessionRef, reason: EndReason, options: CommitOptions): Answer<Committed> {
    return this.#run((backend) => backend.destroy(ref, reason, options))
  }

  touch(ref: SessionRef, at: number): void {
    this.#current.touch(ref, at)
  }

  find(principal: string): Answer<readonly SessionRef[]> {
    return this.#run((backend) => backend.find(principal))
  }

  revoke(principal: string, options: CommitOptions): Answer<Committed & { readonly sessions: number }> {
    return this.#run((backend) => backend.revoke(principal, options))
  }

  exportAll(cursor?: string): AsyncIterable<PortableSession> {
    return this.#current.exportAll(cursor)
  }

  exportOne(ref: SessionRef): Answer<PortableSession | undefined> {
    return this.#run((backend) => backend.exportOne(ref))
  }

  importOne(session: PortableSession): Answer<'imported' | 'known' | 'dead'> {
    return this.#run((backend) => backend.importOne(session))
  }

  digest(): Answer<string> {
    return this.#current.digest()
  }

  open(): Promise<void> {
    return this.#current.open()
  }

  ready(): Promise<void> {
    return this.#current.ready()
  }

  close(): Promise<void> {
    return this.#current.close()
  }

  size(): { readonly sessions: number; readonly bytes: number } {
    return this.#current.size()
  }

  health(): BackendHealth {
    return this.#current.health()
  }

  counters(): Readonly<Record<string, number>> {
    return this.#current.counters()
  }

  subscribe(listener: (event: SessionEvent) => void): () => void {
    this.#listeners.set(listener, this.#current.subscribe(listener))
    return () => {
      this.#listeners.get(listener)?.()
      this.#listeners.delete(listener)
    }
  }

  /** At once where the backend answers at once and nobody changes it. */
  #run<T>(act: (backend: SessionBackend) => Answer<T>): Answer<T> {
    if (this.#gate !== undefined) return this.#gate.then(() => this.#run(act))
    this.#running++
    let answer: Answer<T>
    try {
      answer = act(this.#current)
    } catch (error) {
      this.#ended()
      throw error
    }
    if (answer instanceof Promise) return answer.finally(() => this.#ended())
    this.#ended()
    return answer
  }

  #ended(): void {
    this.#running--
    if (this.#running === 0) this.#idle?.resolve()
  }
}
