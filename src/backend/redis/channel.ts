import type { Log } from '../../log.js'
import type { EndReason, SessionRef } from '../../session/session.js'
import type { SessionEvent } from '../backend.js'
import type { Client } from './dial.js'
import { parseBirth } from './keys.js'

export interface ChannelOptions {
  readonly name: string
  readonly actor: number
  readonly log: Log
}

const REASONS: ReadonlySet<string> = new Set<EndReason>(['destroyed', 'expired', 'logged-out', 'replaced', 'duplicate'])

/**
 * Session events over the whole cluster. What this node does it tells its own listeners itself, as `local`; what others
 * do comes over one Redis channel, at most once, best effort. Subscribed only while somebody listens.
 */
export class EventChannel {
  readonly #options: ChannelOptions
  readonly #listeners = new Set<(event: SessionEvent) => void>()
  #dial: (() => Client) | undefined
  #client: Client | undefined

  constructor(options: ChannelOptions) {
    this.#options = options
  }

  /** `dial` makes a connection of its own: a subscribed one can do nothing else. */
  open(dial: () => Client): void {
    this.#dial = dial
    if (this.#listeners.size > 0) this.#subscribe()
  }

  listen(listener: (event: SessionEvent) => void): () => void {
    this.#listeners.add(listener)
    this.#subscribe()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.#unsubscribe()
    }
  }

  tell(event: SessionEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch (error) {
        this.#options.log('error', 'listener-threw', { message: error instanceof Error ? error.message : 'unknown' })
      }
    }
  }

  close(): void {
    this.#dial = undefined
    this.#unsubscribe()
  }

  #unsubscribe(): void {
    this.#client?.disconnect()
    this.#client = undefined
  }

  /** ioredis subscribes again by itself after every reconnect. */
  #subscribe(): void {
    if (this.#client !== undefined || this.#dial === undefined) return
    const client = this.#dial()
    this.#client = client
    client.on('error', (error: Error) => this.#options.log('debug', 'redis-events', { reason: error.message }))
    client.on('message', (_channel: string, text: string) => this.#received(text))
    client.on('ready', () => {
      client.subscribe(this.#options.name).catch((error: unknown) => {
        this.#options.log('warn', 'redis-events-unavailable', { reason: String(error) })
      })
    })
    client.connect().catch(() => {})
  }

  #received(text: string): void {
    const [actor, what, birth = '', reason = ''] = text.split(' ')
    const ref = parseBirth(birth)
    if (ref === undefined || Number(actor) === this.#options.actor) return
    const event = eventOf(what ?? '', ref, reason)
    if (event !== undefined) this.tell(event)
  }
}

function eventOf(type: string, ref: SessionRef, reason: string): SessionEvent | undefined {
  switch (type) {
    case 'created':
    case 'changed':
    case 'rotated':
      return { type, ref, local: false }
    case 'destroyed':
    case 'expired':
      return isReason(reason) ? { type, ref, reason, local: false } : undefined
    default:
      return undefined
  }
}

function isReason(text: string): text is EndReason {
  return REASONS.has(text)
}
