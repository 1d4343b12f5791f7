import type { Log } from '../../log.js'
import type { AttributeWrite, SessionRef } from '../../session/session.js'

export interface AttributeEvent {
  readonly ref: SessionRef
  /** Of the attribute. */
  readonly name: string
}

/** What is looked at of a session whose attributes are watched: a SessionHandle. */
export interface WatchedSession {
  readonly bound: { readonly ref: SessionRef } | undefined
  readonly values: {
    /** As the request that commits sees it. */
    get(name: string): unknown
    /** As the backend had it before. */
    stored(name: string): unknown
  }
}

/**
 * Hears of one attribute as requests and sockets of this node commit it: of the value that a session got, and of the
 * one that it lost by being written over, removed, or with the session. What other nodes commit, and what expires, is
 * not told: values are not decoded for nobody.
 */
export interface AttributeListener {
  bound?(value: unknown, event: AttributeEvent): unknown
  unbound?(value: unknown, event: AttributeEvent): unknown
}

/** Who wants to hear of which attributes. */
export class AttributeWatch {
  readonly #log: Log
  readonly #listeners = new Map<string, Set<AttributeListener>>()

  constructor(log: Log) {
    this.#log = log
  }

  /** Tells `listener` from now on. Answers how to stop. What it throws is logged; the commit stands. */
  on(name: string, listener: AttributeListener): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0) this.#listeners.delete(name)
    }
  }

  /** `writes` are in the backend, and the handle does not know yet. */
  committed(handle: WatchedSession, writes: readonly AttributeWrite[]): void {
    if (this.#listeners.size === 0 || handle.bound === undefined) return
    const { ref } = handle.bound
    for (const { name, value } of writes) {
      if (!this.#listeners.has(name)) continue
      this.#unbound(handle, name, ref)
      if (value !== null) this.#call('bound', handle.values.get(name), { ref, name })
    }
  }

  /** The session was ended by this request. */
  ended(handle: WatchedSession): void {
    if (this.#listeners.size === 0 || handle.bound === undefined) return
    for (const name of this.#listeners.keys()) this.#unbound(handle, name, handle.bound.ref)
  }

  #unbound(handle: WatchedSession, name: string, ref: SessionRef): void {
    const before = handle.values.stored(name)
    if (before !== undefined) this.#call('unbound', before, { ref, name })
  }

  #call(what: keyof AttributeListener, value: unknown, event: AttributeEvent): void {
    const failed = (error: unknown): void => {
      const detail = error instanceof Error ? error.message : String(error)
      this.#log('error', 'attribute-listener-failed', { attribute: event.name, detail })
    }
    for (const listener of Array.from(this.#listeners.get(event.name) ?? [])) {
      try {
        const answer = listener[what]?.(value, event)
        if (answer instanceof Promise) answer.catch(failed)
      } catch (error) {
        failed(error)
      }
    }
  }
}
