import type { SessionBackend, SessionEvent } from '../backend/backend.js'
import type { Log } from '../log.js'

/** What listeners are told. Never an id, never a value: `ref` names the session and lets nobody in. */
export interface SessionChange {
  readonly ref: SessionEvent['ref']
  /** Caused on this node. True on one node of the cluster, unless two nodes did the same thing at the same time. */
  readonly local: boolean
}

export interface SessionEnd extends SessionChange {
  readonly reason: Extract<SessionEvent, { reason: unknown }>['reason']
}

/** By name of the event. */
export interface SessionEventMap {
  readonly created: SessionChange & { readonly type: 'created' }
  readonly changed: SessionChange & { readonly type: 'changed' }
  /** It has a new id; `ref` stays. */
  readonly rotated: SessionChange & { readonly type: 'rotated' }
  readonly destroyed: SessionEnd & { readonly type: 'destroyed' }
  readonly expired: SessionEnd & { readonly type: 'expired' }
}

export type SessionEventListener<T extends keyof SessionEventMap> = (event: SessionEventMap[T]) => unknown

export interface ListenOptions {
  /** What happens anywhere, or only what this node caused. Default 'cluster'. */
  readonly scope?: 'local' | 'cluster' | undefined
}

type AnyListener = (event: SessionEvent) => unknown

/**
 * Tells an application what happens to sessions, in the order in which this node learned of it. While nobody listens
 * it does not listen either.
 */
export class SessionEvents {
  readonly #backend: SessionBackend
  readonly #log: Log
  readonly #listeners = new Map<SessionEvent['type'], Set<AnyListener>>()
  readonly #queue: SessionEvent[] = []
  #telling = false
  #unsubscribe: (() => void) | undefined

  constructor(backend: SessionBackend, log: Log) {
    this.#backend = backend
    this.#log = log
  }

  /** Tells `listener` from now on. Answers how to stop. What it throws is logged, and stops nobody else. */
  on<T extends keyof SessionEventMap>(type: T, listener: SessionEventListener<T>, options: ListenOptions = {}): () => void {
    if (this.#backend.powers.events === false) throw new Error(`the ${this.#backend.type} backend has no events`)
    const isLocalOnly = options.scope === 'local'
    const hear: AnyListener = (event) => {
      if (isOf(event, type) && (event.local || !isLocalOnly)) return listener(event)
      return undefined
    }
    const listeners = this.#listeners.get(type) ?? new Set()
    this.#listeners.set(type, listeners.add(hear))
    this.#unsubscribe ??= this.#backend.subscribe((event) => this.#tell(event))
    return () => this.#forget(type, hear)
  }

  close(): void {
    this.#listeners.clear()
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
  }

  #forget(type: SessionEvent['type'], listener: AnyListener): void {
    const listeners = this.#listeners.get(type)
    listeners?.delete(listener)
    if (listeners?.size === 0) this.#listeners.delete(type)
    if (this.#listeners.size === 0) this.close()
  }

  /** A listener may cause the next event: that one is told when all have heard of this one. */
  #tell(event: SessionEvent): void {
    if (!this.#listeners.has(event.type)) return
    this.#queue.push(event)
    if (this.#telling) return
    this.#telling = true
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      // A copy: who begins to listen now hears of what comes next.
      const listeners = Array.from(this.#listeners.get(next.type) ?? [])
      for (const listener of listeners) this.#callSafely(listener, next)
    }
    this.#telling = false
  }

  #callSafely(listener: AnyListener, event: SessionEvent): void {
    const failed = (error: unknown): void => {
      const detail = error instanceof Error ? error.message : String(error)
      this.#log('error', 'session-listener-failed', { listenedFor: event.type, detail })
    }
    try {
      const answer = listener(event)
      if (answer instanceof Promise) answer.catch(failed)
    } catch (error) {
      failed(error)
    }
  }
}

function isOf<T extends keyof SessionEventMap>(event: SessionEvent, type: T): event is SessionEvent & SessionEventMap[T] {
  return event.type === type
}
