import { ServerResponse } from 'node:http'

/** How much an application may write before it is told to wait. */
const HELD_BYTES_MAX = 64 * 1024

type Held = 'writeHead' | 'write' | 'end' | 'flushHeaders'

interface Call {
  readonly method: Held
  readonly args: unknown[]
}

/** Calls that fail once headers are sent; while a response is held they fail the same way. */
const HEAD_CALLS = ['setHeader', 'setHeaders', 'appendHeader', 'removeHeader'] as const

/** Where node notes the head that was sent: all that it answers or refuses for that reason follows from it. */
const HEAD = '_header'

interface Noting {
  [HEAD]: string | null
}

/** Noted while none was sent. */
const HELD = 'held'

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
  readonly #notes: Noting | undefined
  #bytes = 0
  #owesDrain = false
  #ended = false

  constructor(res: ServerResponse) {
    this.#res = res
    this.#status = res.statusCode
    this.#message = res.statusMessage
    if (res.headersSent) return
    this.#notes = notesOf(res)
    if (this.#notes !== undefined) {
      this.#notes[HEAD] = HELD
      return
    }
    this.#shadow('headersSent', { get: () => true })
    this.#shadow('writableEnded', { get: () => this.#ended })
    for (const name of HEAD_CALLS) this.#shadow(name, { value: refuse(name) })
  }

  /** Whether `end` was called before any headers were sent, and waits. */
  get ended(): boolean {
    return this.#ended && this.#notes !== undefined
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
    if (this.#notes?.[HEAD] === HELD) this.#notes[HEAD] = null
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

/**
 * Node's own notes, where a response is one of node's and keeps them where it always did. To write there costs nothing;
 * six properties more on a response, and their removal, cost an Express request a fifth of its time.
 */
function notesOf(res: ServerResponse): Noting | undefined {
  if (!(res instanceof ServerResponse) || !Object.hasOwn(res, HEAD)) return undefined
  const notes = res as unknown as Noting
  return notes[HEAD] === null ? notes : undefined
}

function refuse(name: string): () => never {
  return () => {
    const error = new Error(`Cannot ${name === 'removeHeader' ? 'remove' : 'set'} headers after they are sent to the client`)
    throw Object.assign(error, { code: 'ERR_HTTP_HEADERS_SENT' })
  }
}
