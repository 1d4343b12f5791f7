import { ServerResponse } from 'node:http'
import { requestSessionOf } from '../request/request-property.js'
import type { Gate, GateKeeper } from './gate.js'
import { HeldResponse } from './held-response.js'
import { addHeaders, clearHead, foldHead } from './response-head.js'

type Method = 'writeHead' | 'write' | 'end' | 'flushHeaders'
// oxlint-disable-next-line typescript/no-explicit-any -- the four methods have many forms; arguments pass unseen
type AnyMethod = (this: ServerResponse, ...args: any[]) => any

/**
 * `open`: no headers yet. `held`: calls queue while the keeper is at work. `sent`: calls pass. `failed`: the response
 * belongs to the error handler, and what the handler that was at work before still calls is swallowed.
 */
type State = 'open' | 'held' | 'sent' | 'failed'

/**
 * Stands between an application and its response, so that nothing leaves before the session is committed: a browser
 * that follows a redirect at once finds what the redirecting request wrote. Where the keeper answers at once, which
 * in-process backends do, calls pass at once.
 */
export class CommitGate implements Gate {
  readonly #res: ServerResponse
  readonly #keeper: GateKeeper
  readonly #fail: (error: unknown) => void
  /** What is behind the gate: node's own methods, or those of the response itself where it has others. */
  readonly #behind: Methods
  #state: State = 'open'
  #held: HeldResponse | undefined
  #ended = false
  #headersAdded = false
  /** The headers had been sent before it was made. */
  readonly isLate: boolean

  /** `fail`: gets the error of a failed commit, in a turn of its own, with a response that is as good as new. */
  static before(res: ServerResponse, keeper: GateKeeper, fail: (error: unknown) => void): CommitGate {
    latest = new CommitGate(res, keeper, fail)
    return latest
  }

  private constructor(res: ServerResponse, keeper: GateKeeper, fail: (error: unknown) => void) {
    this.#res = res
    this.#keeper = keeper
    this.#fail = fail
    this.#behind = isGated(res) ? nodes : standBefore(res, this)
    this.isLate = res.headersSent
    if (this.isLate) {
      this.#state = 'sent'
      this.#addHeaders([], false)
    }
  }

  isBefore(res: ServerResponse): boolean {
    return this.#res === res
  }

  get isInnermost(): boolean {
    return this.#behind === nodes
  }

  get holdsEnd(): boolean {
    return this.#held?.ended === true
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

  commit(): Promise<void> | undefined {
    if (this.#state !== 'open') return undefined
    try {
      return this.#keeper.beforeHeaders()?.catch((error: unknown) => this.#abandon(error))
    } catch (error) {
      return this.#abandon(error)
    }
  }

  #abandon(error: unknown): never {
    this.#keeper.commitFailed(error)
    this.#state = 'failed'
    this.#giveBack()
    throw error
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
    return Reflect.apply(this.#behind[method], this.#res, args)
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
      clearHead(this.#res)
      this.#giveBack()
      this.#fail(error)
    })
  }

  /** Past the gate and every wrapper before it: what they hold belongs to the response that failed. */
  #giveBack(): void {
    const res = this.#res
    const { writeHead, write, end, flushHeaders } = this.#behind
    // Once the error is answered, stray calls of the failed response go nowhere instead of failing the process.
    const unlessEnded = (method: AnyMethod, swallowed: unknown): AnyMethod =>
      function unlessAnswered(...args) {
        return res.writableEnded ? swallowed : Reflect.apply(method, res, args)
      }
    Object.assign(res, { writeHead, flushHeaders, write: unlessEnded(write, false), end: unlessEnded(end, res) })
    if (!this.#headersAdded) this.#addHeaders([], false)
  }
}

type Methods = Readonly<Record<Method, AnyMethod>>

/** What the gates of all responses stand before: node's methods, or what was put in their place earlier. */
let nodes: Methods = methodsOf(ServerResponse.prototype)

/** Node's methods, with the gate of the response before them, if it has one that is not before them already. */
const GATED: Methods = {
  writeHead(...args) {
    const gate = gateOf(this)
    return gate === undefined ? Reflect.apply(nodes.writeHead, this, args) : gate.writeHead(args)
  },
  write(...args) {
    const gate = gateOf(this)
    return gate === undefined ? Reflect.apply(nodes.write, this, args) : gate.write(args)
  },
  end(...args) {
    const gate = gateOf(this)
    return gate === undefined ? Reflect.apply(nodes.end, this, args) : gate.end(args)
  },
  flushHeaders(...args) {
    const gate = gateOf(this)
    return gate === undefined ? Reflect.apply(nodes.flushHeaders, this, args) : gate.flushHeaders(args)
  },
}

/** The gate that was made last: that of most responses which send something (request-property.ts says why it is kept). */
let latest: CommitGate | undefined

function gateOf(res: ServerResponse): Gate | undefined {
  const gate = latest?.isBefore(res) === true ? latest : requestSessionOf(res.req)?.gate
  return gate?.isInnermost === true ? gate : undefined
}

/**
 * Makes every response of this process able to have a gate. On the prototype, because four own properties on each
 * response cost an Express request a fifth of its time: Express changes the prototype of each, and from then on each
 * new property of it makes the engine describe the object anew. A response without a gate pays one look-up per call.
 */
export function installGates(): void {
  if (installed) return
  installed = true
  nodes = methodsOf(ServerResponse.prototype)
  Object.assign(ServerResponse.prototype, GATED)
  Object.defineProperty(ServerResponse.prototype, 'writableEnded', { configurable: true, get: isEnded })
}

let installed = false

/** What `writableEnded` says: to the application, a response has ended that only waits for its commit. */
function isEnded(this: ServerResponse): boolean {
  return this.finished || requestSessionOf(this.req)?.gate?.holdsEnd === true
}

/** Whether the gates on the prototype are what is called on it. Asked in a way that needs no cache of the engine's. */
function isGated(res: ServerResponse): boolean {
  const { writeHead, write, end, flushHeaders } = methodsOf((Object.getPrototypeOf(res) ?? res) as ServerResponse)
  return (
    writeHead === GATED.writeHead &&
    write === GATED.write &&
    end === GATED.end &&
    flushHeaders === GATED.flushHeaders &&
    !Object.hasOwn(res, 'writeHead') &&
    !Object.hasOwn(res, 'write') &&
    !Object.hasOwn(res, 'end') &&
    !Object.hasOwn(res, 'flushHeaders')
  )
}

/** Puts the gate before a response that has methods of its own: wrapped by a middleware, or not of node:http. */
function standBefore(res: ServerResponse, gate: Gate): Methods {
  const behind = methodsOf(res)
  const own: Methods = {
    writeHead: (...args) => gate.writeHead(args),
    write: (...args) => gate.write(args),
    end: (...args) => gate.end(args),
    flushHeaders: (...args) => gate.flushHeaders(args),
  }
  Object.assign(res, own)
  return behind
}

function methodsOf(res: ServerResponse): Methods {
  // oxlint-disable-next-line typescript/unbound-method -- always applied to a response
  const { writeHead, write, end, flushHeaders } = res
  return { writeHead, write, end, flushHeaders }
}
