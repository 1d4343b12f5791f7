import type { ServerResponse } from 'node:http'

/** How much an application may write before it is told to wait. */
const HELD_BYTES_MAX = 64 * 1024

type Held = 'writeHead' | 'write' | 'end' | 'flushHeaders'

interface Call {
  readonly method: Held
  readonly args: unknown[]
}

/** Calls that fail once headers are sent; while a response is held they fail the same way. */
const HEAD_CALLS = ['setHeader', 'setHeaders', 'appendHeader', 'removeHeader'] as const

/**
 * A response that waits for its commit. To the application it looks as if the headers had been sent: `headersSent` is
 * true, the status stays what it was, setting headers throws. Written chunks queue, with back-pressure.
 */
export class HeldResponse {
  readonly calls: Call[] = []
  readonly #res: ServerResponse
  readonly #status: number
  readonly #message: string
  readonly #before = new Map<string, PropertyDescriptor | undefined>()
  #bytes = 0
  #owesDrain = false
  #ended = false

  constructor(res: ServerResponse) {
    this.#res = res
    this.#status = res.statusCode
    this.#message = res.statusMessage
    if (res.headersSent) return
    this.#shadow('headersSent', { get: () => true })
    this.#shadow('writableEnded', { get: () => this.#ended })
    for (const name of HEAD_CALLS) this.#shadow(name, { value: refuse(name) })
  }

  /** Keeps a call for later. False: wait for `drain` before writing more. */
  hold(method: Held, args: unknown[]): boolean {
    this.calls.push({ method, args })
    if (method === 'end') this.#ended = true
    const [chunk] = args
    if (method === 'write' && typeof chunk === 'string') this.#bytes += chunk.length
    if (method === 'write' && chunk instanceof Uint8Array) this.#bytes += chunk.byteLength
    // What is piped in waits from the start: if the commit fails, nothing more of it may come.
    if (this.#bytes < HELD_BYTES_MAX && this.#res.listenerCount('unpipe') === 0) return true
    this.#owesDrain = true
    return false
  }

  /** The response is itself again, with the status it had when it was held. */
  unfreeze(): void {
    for (const [name, descriptor] of this.#before) {
      if (descriptor === undefined) Reflect.deleteProperty(this.#res, name)
      else Object.defineProperty(this.#res, name, descriptor)
    }
    this.#before.clear()
    if (this.#res.headersSent) return
    this.#res.statusCode = this.#status
    this.#res.statusMessage = this.#message
  }

  /** What a call that was held answered when it was made at last. False: node itself will emit `drain`. */
  note(answer: unknown): void {
    if (answer === false) this.#owesDrain = false
  }

  /** Tells the application to go on writing, where it was told to wait. */
  drain(): void {
    if (this.#owesDrain && !this.#ended) this.#res.emit('drain')
  }

  #shadow(name: string, descriptor: PropertyDescriptor): void {
    this.#before.set(name, Object.getOwnPropertyDescriptor(this.#res, name))
    Object.defineProperty(this.#res, name, { ...descriptor, configurable: true })
  }
}

function refuse(name: string): () => never {
  return () => {
    const error = new Error(`Cannot ${name === 'removeHeader' ? 'remove' : 'set'} headers after they are sent to the client`)
    throw Object.assign(error, { code: 'ERR_HTTP_HEADERS_SENT' })
  }
}
