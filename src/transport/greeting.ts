import type { Handshake, Step } from './handshake.js'
import { MAX_HANDSHAKE_BYTES } from './limits.js'
import { encodeRefusal } from './refusal.js'
import type { Refusal } from './transport.js'
import { brokenRule, closeWire, type Wire } from './wire.js'

type Up = Extract<Step, { type: 'up' }>

export interface GreetingEvents {
  /**
   * The handshake is complete; `step.bytes` are still to be sent. Called before any further frame is read.
   */
  up(step: Up): void
  /** Refused by us (`byPeer` false) or by the peer. The connection is closing. */
  refused(refusal: Refusal, byPeer: boolean): void
  /** Gone without a word. */
  lost(detail: string): void
}

/** Headers of the few WebSocket frames that a handshake takes, and a ping or two. */
const FRAMING_BYTES = 512

/** Runs one handshake over one connection that has just opened. Exactly one of its events is called, once. */
export class Greeting {
  readonly #wire: Wire
  readonly #handshake: Handshake
  readonly #now: () => number
  readonly #events: GreetingEvents
  #bytes = 0
  #over = false

  constructor(wire: Wire, handshake: Handshake, now: () => number, events: GreetingEvents) {
    this.#wire = wire
    this.#handshake = handshake
    this.#now = now
    this.#events = events
    wire.ws.on('message', this.#onMessage)
    wire.ws.on('error', this.#onError)
    wire.ws.on('close', this.#onClose)
    wire.socket.on('data', this.#onData)
  }

  /** The dialler speaks first. */
  begin(): void {
    this.#wire.ws.send(this.#handshake.start(this.#now()))
  }

  /** The deadline has passed. */
  expire(): void {
    this.#refuse({ rule: 'timeout', detail: 'the handshake took too long' }, 1008)
  }

  readonly #onMessage = (data: unknown, isBinary: boolean): void => {
    if (!isBinary || !(data instanceof Uint8Array)) {
      this.#refuse({ rule: 'malformed', detail: 'text frame' }, 1002)
      return
    }
    const step = this.#handshake.receive(data, this.#now())
    switch (step.type) {
      case 'send':
        this.#wire.ws.send(step.bytes)
        return
      case 'up':
        this.#end()
        this.#events.up(step)
        return
      case 'refused':
        this.#refuse(step.refusal, step.closeCode, step.bytes === undefined)
    }
  }

  /** Counts what comes in underneath, so that an unfinished frame does not escape the limit. */
  readonly #onData = (chunk: Uint8Array): void => {
    this.#bytes += chunk.length
    if (this.#bytes <= MAX_HANDSHAKE_BYTES + FRAMING_BYTES) return
    this.#refuse({ rule: 'malformed', detail: 'too many bytes' }, 1009)
    this.#wire.ws.terminate()
  }

  readonly #onError = (error: Error): void => {
    const rule = brokenRule(error)
    if (rule === undefined) this.#lose(error.message)
    else this.#refuse({ rule: 'malformed', detail: rule })
  }

  readonly #onClose = (code: number): void => {
    this.#lose(`closed in the handshake (${code})`)
  }

  /** Without a code: ws is closing the connection with its own. */
  #refuse(refusal: Refusal, closeCode?: number, byPeer = false): void {
    if (this.#over) return
    this.#end()
    if (closeCode !== undefined) {
      if (!byPeer) this.#wire.ws.send(encodeRefusal(refusal))
      closeWire(this.#wire, closeCode, `${refusal.rule}: ${refusal.detail}`)
    }
    this.#events.refused(refusal, byPeer)
  }

  #lose(detail: string): void {
    if (this.#over) return
    this.#end()
    this.#wire.ws.terminate()
    this.#events.lost(detail)
  }

  #end(): void {
    this.#over = true
    const { ws, socket } = this.#wire
    ws.off('message', this.#onMessage)
    ws.off('close', this.#onClose)
    socket.off('data', this.#onData)
    // The error listener stays: an error that nobody hears would end the process.
  }
}
