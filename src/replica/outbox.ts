import type { Event } from './events.js'
import { valueBytes } from './merge/register.js'

/** Own events kept for peers that reconnect; what is older is repaired by a sync round. */
const LOG_EVENTS_MAX = 4_096
const LOG_BYTES_MAX = 2 * 1024 * 1024
/** One delta message holds at most this much. */
const DELTA_EVENTS_MAX = 512
const DELTA_BYTES_MAX = 256 * 1024

/** This replica's own events: those still to be sent, and the last ones for peers that were away for a moment. */
export class Outbox {
  readonly #log: Event[] = []
  /** Bytes of each. */
  readonly #sizes: number[] = []
  /** Of those that are kept: from `#first` on. */
  #bytes = 0
  /** Earlier ones are dropped with the next trim: in bulk, so that a commit does not pay for moving the whole log. */
  #first = 0
  /** Bytes of these. */
  #droppable = 0
  #unsent = 0
  #awaited = false

  /** Number of events that no link was given yet. */
  get unsent(): number {
    return this.#unsent
  }

  /** The newest own event. */
  get last(): Event | undefined {
    return this.#log.at(-1)
  }

  /** Appends an event; `awaited`: somebody waits for its confirmation. */
  push(event: Event, awaited: boolean): void {
    const bytes = eventBytes(event)
    this.#log.push(event)
    this.#sizes.push(bytes)
    this.#bytes += bytes
    this.#unsent++
    this.#awaited ||= awaited
  }

  /** Takes what is to be sent now, in messages of bounded size. */
  take(): { readonly deltas: readonly (readonly Event[])[]; readonly awaited: boolean } {
    const deltas = this.#chunks(this.#log.length - this.#unsent, this.#log.length)
    const awaited = this.#awaited
    this.#unsent = 0
    this.#awaited = false
    this.#trim()
    return { deltas, awaited }
  }

  /** The sent events after `counter`, or undefined when the log no longer reaches that far back. */
  since(counter: number): readonly (readonly Event[])[] | undefined {
    const sent = this.#log.length - this.#unsent
    const first = this.#log[0]?.dot.counter
    if (sent === 0 || first === undefined || first > counter + 1) return undefined
    return this.#chunks(Math.min(counter + 1 - first, sent), sent)
  }

  #trim(): void {
    const { length } = this.#log
    while (this.#first < length && (length - this.#first > LOG_EVENTS_MAX || this.#bytes > LOG_BYTES_MAX)) {
      const bytes = this.#sizes[this.#first++] as number
      this.#bytes -= bytes
      this.#droppable += bytes
    }
    if (this.#first <= LOG_EVENTS_MAX / 4 && this.#droppable <= this.#bytes) return
    this.#log.splice(0, this.#first)
    this.#sizes.splice(0, this.#first)
    this.#first = 0
    this.#droppable = 0
  }

  #chunks(from: number, to: number): readonly (readonly Event[])[] {
    const chunks: (readonly Event[])[] = []
    let [start, bytes] = [from, 0]
    for (let at = from; at < to; at++) {
      const size = this.#sizes[at] as number
      if (at > start && (at - start >= DELTA_EVENTS_MAX || bytes + size > DELTA_BYTES_MAX)) {
        chunks.push(this.#log.slice(start, at))
        start = at
        bytes = 0
      }
      bytes += size
    }
    if (to > start) chunks.push(this.#log.slice(start, to))
    return chunks
  }
}

function eventBytes(event: Event): number {
  if (event.type === 'kill' || event.type === 'revoke') return 64
  let bytes = 96
  for (const { name, value } of event.writes) bytes += name.length + valueBytes(value)
  return bytes
}
