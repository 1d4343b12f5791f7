import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { ResponseHeader } from './carrier.js'
import { addHeaders, clearHead, foldHead } from './response-head.js'
import { HeldResponse } from './held-response.js'

/** Who has something to do before the headers of a response leave. Answers at once, or lets the response wait. */
export interface GateKeeper {
  /** Called once, by the first call that would send headers. What it throws goes to `fail`. */
  beforeHeaders(): Promise<void> | undefined
  /** Headers to add. Called when they leave. */
  headersLeave(): readonly ResponseHeader[]
  /** Called by `end` when the headers had left before. */
  beforeEnd(): Promise<void> | undefined
  commitFailed(error: unknown): void
  lateCommitFailed(error: unknown): void
}

type Method = 'writeHead' | 'write' | 'end' | 'flushHeaders'
// oxlint-disable-next-line typescript/no-explicit-any -- the four methods have many forms; arguments pass unseen
type AnyMethod = (this: ServerResponse, ...args: any[]) => any

/**
 * `open`: no headers yet. `held`: calls queue while the keeper is at work. `sent`: calls pass. `failed`: the response
 * belongs to the error handler, and what the handler that was at work before still calls is swallowed.
 */
type State = 'open' | 'held' | 'sent' | 'failed'

const GATE = Symbol('session-mesh commit gate')

declare module 'node:http' {
  interface ServerResponse {
    [GATE]?: CommitGate
  }
}

/**
 * Stands between an application and its response, so that nothing leaves before the session is committed: a browser
 * that follows a redirect at once finds what the redirecting request wrote. Where the keeper answers at once, which
 * in-process backends do, calls pass at once.
 */
export class CommitGate {
  readonly #res: ServerResponse
  readonly #keeper: GateKeeper
  readonly #fail: (error: unknown) => void
  /** The methods as they were before the gate: node's own, or those of a middleware mounted earlier. */
  readonly #original: Readonly<Record<Method, AnyMethod>>
  #state: State
  #held: HeldResponse | undefined
  #ended = false
  #headersAdded = false
  #sources: Readable[] | undefined

  /** `fail`: gets the error of a failed commit, in a turn of its own, with a response that is as good as new. */
  constructor(res: ServerResponse, keeper: GateKeeper, fail: (error: unknown) => void) {
    this.#res = res
    this.#keeper = keeper
    this.#fail = fail
    // oxlint-disable-next-line typescript/unbound-method -- always applied to the response
    const { writeHead, write, end, flushHeaders } = res
    this.#original = { writeHead, write, end, flushHeaders }
    this.#state = 'open'
    if (res.headersSent) {
      this.#state = 'sent'
      this.#addHeaders([], false)
    }
    res[GATE] = this
    Object.assign(res, GATED)
    res.on('pipe', notePipe)
  }

  writeHead(args: unknown[]): unknown {
    if (this.#state === 'open') this.#open()
    if (this.#state === 'sent') return this.#sendHead(args)
    this.#held?.hold('writeHead', args)
    return this.#res
  }

  write(args: unknown[]): unknown {
    if (this.#state === 'open') this.#open()
    if (this.#state === 'sent') return this.#call('write', args)
    return this.#held?.hold('write', args) ?? true
  }

  flushHeaders(args: unknown[]): void {
    if (this.#state === 'open') this.#open()
    if (this.#state === 'sent') this.#call('flushHeaders', args)
    else this.#held?.hold('flushHeaders', args)
  }

  end(args: unknown[]): unknown {
    if (this.#state === 'open') this.#open()
    else if (this.#state === 'sent' && !this.#ended) this.#beforeEnd()
    if (this.#state === 'sent') {
      this.#ended = true
      return this.#call('end', args)
    }
    this.#held?.hold('end', args)
    return this.#res
  }

  notePipe(source: Readable): void {
    this.#sources ??= []
    this.#sources.push(source)
  }

  #open(): void {
    try {
      this.#holdFor(this.#keeper.beforeHeaders(), (error) => this.#failed(error))
    } catch (error) {
      this.#failed(error)
    }
  }

  #beforeEnd(): void {
    this.#ended = true
    try {
      const late = this.#keeper.beforeEnd()
      if (late === undefined) return
      this.#holdFor(late, (error) => {
        this.#keeper.lateCommitFailed(error)
        this.#release()
      })
    } catch (error) {
      this.#keeper.lateCommitFailed(error)
    }
  }

  /** Lets calls pass: now, or when `pending` is fulfilled. */
  #holdFor(pending: Promise<void> | undefined, onRejected: (error: unknown) => void): void {
    if (pending === undefined) {
      this.#state = 'sent'
      return
    }
    this.#state = 'held'
    this.#held = new HeldResponse(this.#res)
    pending.then(() => this.#release(), onRejected)
  }

  /** Sends what was held, in its order. */
  #release(): void {
    const held = this.#held
    if (held === undefined || this.#state !== 'held') return
    this.#held = undefined
    held.unfreeze()
    this.#state = 'sent'
    try {
      for (const { method, args } of held.calls) {
        if (method === 'writeHead') this.#sendHead(args)
        else held.note(this.#call(method, args))
        if (method === 'end') this.#ended = true
      }
      held.drain()
    } catch (error) {
      // The application called with arguments that node refuses, and could not be told at once.
      if (this.#res.headersSent) this.#res.destroy(error instanceof Error ? error : undefined)
      else this.#failed(error)
    }
  }

  #sendHead(args: unknown[]): unknown {
    return this.#call('writeHead', this.#headersAdded ? args : this.#addHeaders(args, true))
  }

  #call(method: Method, args: unknown[]): unknown {
    if (!this.#headersAdded) this.#addHeaders(args, false)
    return Reflect.apply(this.#original[method], this.#res, args)
  }

  /** Adds the keeper's headers at the last moment, so that no error page can lose them before. */
  #addHeaders(args: unknown[], isHead: boolean): unknown[] {
    this.#headersAdded = true
    const headers = this.#keeper.headersLeave()
    if (headers.length === 0 || this.#res.headersSent) return args
    const rest = isHead ? foldHead(this.#res, args) : args
    addHeaders(this.#res, headers)
    return rest
  }

  #failed(error: unknown): void {
    this.#keeper.commitFailed(error)
    this.#state = 'failed'
    const held = this.#held ?? new HeldResponse(this.#res)
    this.#held = undefined
    // In a turn of its own: the handler that is at work must not meet the error handler's response half way.
    setImmediate(() => {
      held.unfreeze()
      this.#unpipe()
      clearHead(this.#res)
      this.#giveBack()
      this.#fail(error)
    })
  }

  /** Past every wrapper mounted later: what they hold belongs to the response that failed. */
  #giveBack(): void {
    const res = this.#res
    const { writeHead, write, end, flushHeaders } = this.#original
    // Once the error is answered, stray calls of the failed response go nowhere instead of failing the process.
    const unlessEnded = (method: AnyMethod, swallowed: unknown): AnyMethod =>
      function unlessAnswered(...args) {
        return res.writableEnded ? swallowed : Reflect.apply(method, res, args)
      }
    Object.assign(res, { writeHead, flushHeaders, write: unlessEnded(write, false), end: unlessEnded(end, res) })
    if (!this.#headersAdded) this.#addHeaders([], false)
  }

  #unpipe(): void {
    for (const source of this.#sources ?? []) {
      source.unpipe(this.#res)
      if (source !== this.#res.req) source.destroy()
    }
  }
}

function notePipe(this: ServerResponse, source: Readable): void {
  this[GATE]?.notePipe(source)
}

/** Shared by all responses: no closure is made per request. */
const GATED: Readonly<Record<Method, AnyMethod>> = {
  writeHead(...args) {
    return this[GATE]?.writeHead(args)
  },
  write(...args) {
    return this[GATE]?.write(args)
  },
  end(...args) {
    return this[GATE]?.end(args)
  },
  flushHeaders(...args) {
    this[GATE]?.flushHeaders(args)
  },
}
