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
  readonly #log: { readonly event: Event; readonly bytes: number }[] = []
  #bytes = 0
  #unsent = 0
  #awaited = false

  /** Number of events that no link was given yet. */
  get unsent(): number {
    return this.#unsent
  }

  /** The newest own event. */
  get last(): Event | undefined {
    return this.#log.at(-1)?.event
  }

  /** Appends an event; `awaited`: somebody waits for its confirmation. */
  push(event: Event, awaited: boolean): void {
    const bytes = eventBytes(event)
    this.#log.push({ event, bytes })
    this.#bytes += bytes
    this.#unsent++
    this.#awaited ||= awaited
  }

  /** Takes what is to be sent now, in messages of bounded size. */
  take(): { readonly deltas: readonly (readonly Event[])[]; readonly awaited: boolean } {
    const deltas = chunk(this.#log.slice(this.#log.length - this.#unsent))
    const awaited = this.#awaited
    this.#unsent = 0
    this.#awaited = false
    this.#trim()
    return { deltas, awaited }
  }

  /** The sent events after `counter`, or undefined when the log no longer reaches that far back. */
  since(counter: number): readonly (readonly Event[])[] | undefined {
    const sent = this.#log.slice(0, this.#log.length - this.#unsent)
    const first = sent[0]?.event.dot.counter
    if (first === undefined || first > counter + 1) return undefined
    return chunk(sent.slice(counter + 1 - first))
  }

  #trim(): void {
    let drop = 0
    let bytes = this.#bytes
    while (drop < this.#log.length && (this.#log.length - drop > LOG_EVENTS_MAX || bytes > LOG_BYTES_MAX)) {
      bytes -= (this.#log[drop] as { bytes: number }).bytes
      drop++
    }
    // Trimmed in bulk, so that a commit does not pay for moving the whole log.
    if (drop > LOG_EVENTS_MAX / 4 || bytes < this.#bytes / 2) {
      this.#log.splice(0, drop)
      this.#bytes = bytes
    }
  }
}

function chunk(entries: readonly { readonly event: Event; readonly bytes: number }[]): readonly (readonly Event[])[] {
  const chunks: Event[][] = []
  let bytes = Infinity
  for (const entry of entries) {
    const last = chunks.at(-1)
    if (last === undefined || last.length >= DELTA_EVENTS_MAX || bytes + entry.bytes > DELTA_BYTES_MAX) {
      chunks.push([entry.event])
      bytes = entry.bytes
    } else {
      last.push(entry.event)
      bytes += entry.bytes
    }
  }
  return chunks
}

function eventBytes(event: Event): number {
  if (event.type === 'kill' || event.type === 'revoke') return 64
  return event.writes.reduce((sum, write) => sum + write.name.length + valueBytes(write.value), 96)
}
