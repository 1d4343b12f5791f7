import { deferred, type Deferred } from '../../deferred.js'
import { BackendError } from '../../errors.js'
import type { Log } from '../../log.js'
import { Patience, within } from '../patience.js'
import { Circuit } from './circuit.js'
import type { Commands, Sendable } from './commands.js'
import type { Client, RedisArgument } from './dial.js'
import { Gathering } from './gathering.js'
import type { Script } from './lua/script.js'
import { causeOf, isCredentials, startLine, troubleOf } from './trouble.js'

export interface RedisClientOptions {
  readonly client: Client
  readonly commands: Commands
  /** What people call the server. */
  readonly server: string
  /** How long a call may take, milliseconds. */
  readonly timeoutMs: number
  /** EVALSHA, or EVALSHA_RO where only that is sent to replicas. */
  readonly evalsha?: 'evalsha' | 'evalsha_ro'
  readonly now: () => number
  readonly random: () => number
  readonly log: Log
}

/** Of a script: its hash or text, how many keys, the first of them. */
const SHOWN_OF_SCRIPT = 3
const RETRY_MS = 25
/** How long a mark stays that nobody reads. */
const MARK_MS = 60_000
/** A server that stays read-only is not reconnected to for every call. */
const RECONNECT_EVERY_MS = 500

/**
 * One connection (or one per primary of a cluster) and its manners: every call answers within its deadline, by a reply
 * or by a BackendError; a lost connection, a failover or a server that is still loading is waited out within it.
 */
export class RedisClient {
  readonly #options: RedisClientOptions
  readonly #client: Client
  readonly #circuit: Circuit
  readonly #gathering: Gathering
  readonly counts = { calls: 0, retries: 0, timeouts: 0, readonly: 0, reconnects: 0 }
  #up: Deferred<void> = deferred<void>()
  #isUp = false
  #attempts = 0
  #lastError: Error | undefined
  #refusal: ((error: Error) => void) | undefined
  #reconnectedAt = -Infinity
  #isClosed = false
  #generation = 0

  constructor(options: RedisClientOptions) {
    this.#options = options
    this.#client = options.client
    this.#gathering = new Gathering(options.client)
    this.#circuit = new Circuit({
      probe: () => this.#probe(),
      random: options.random,
      changed: (isOpen) => this.#circuitChanged(isOpen),
    })
    const { client } = options
    client.on('ready', () => this.#nowUp())
    client.on('close', () => this.#nowDown())
    client.on('connect', () => this.#attempts++)
    client.on('reconnecting', () => this.#attempts++)
    client.on('error', (error: Error) => this.#noteError(error))
    client.on('node error', (error: Error) => this.#noteError(error))
    client.on('+node', () => this.#generation++)
    client.on('-node', () => this.#generation++)
  }

  /** Another number as soon as another server may be the one that answers. */
  get generation(): number {
    return this.#generation
  }

  get isUp(): boolean {
    return this.#isUp && !this.#circuit.isOpen
  }

  get circuitOpened(): number {
    return this.#circuit.opened
  }

  /** Resolves when connected; rejects with one line when that takes longer than `withinMs`. Goes on trying. */
  async open(withinMs: number): Promise<void> {
    const startedAt = this.#options.now()
    const refused = new Promise<never>((_, reject) => {
      this.#refusal = reject
    })
    this.#client.connect().catch((error: unknown) => {
      if (error instanceof Error) this.#noteError(error)
    })
    try {
      await within(withinMs, Promise.race([this.#up.promise, refused]), () => new Error('too late'))
    } catch {
      const { server, now } = this.#options
      const attempts = Math.max(1, this.#attempts)
      const line = startLine({ server, attempts, elapsedMs: now() - startedAt, cause: this.#lastError })
      throw new BackendError(line, { cause: this.#lastError })
    }
  }

  /** Resolves when connected, however long it takes. */
  async up(): Promise<void> {
    await this.#up.promise
  }

  /** From now on calls fail at once until a probe is answered. */
  giveUpForNow(): void {
    this.#circuit.open()
  }

  /** Runs one script, again where that is safe and helps. */
  run(script: Script, key: string, args: readonly RedisArgument[], withinMs?: number): Promise<unknown> {
    return this.#evaluate(script, [1, key, ...args], withinMs)
  }

  /** The same with keys of several slots, which no cluster allows. */
  runOver(script: Script, keys: readonly string[], args: readonly RedisArgument[]): Promise<unknown> {
    return this.#evaluate(script, [keys.length, ...keys, ...args])
  }

  /** Writes a mark and waits until so many replicas have it, or `withinMs` are over: how many have it. */
  async confirm(mark: string, replicas: number, withinMs: number): Promise<number> {
    const commands = [['set', mark, '', 'PX', MARK_MS], ['wait', replicas, Math.max(1, Math.ceil(withinMs))]]
    const send = async (): Promise<number> => {
      const [marked, waited] = (await this.#client.pipeline(commands).exec()) ?? []
      const failure = marked?.[0] ?? waited?.[0]
      if (failure) throw failure
      return Number(waited?.[1] ?? 0)
    }
    return await this.#call(send, this.#options.timeoutMs + withinMs)
  }

  /** All fields of a hash, and their values, in turn. */
  hash(key: string, withinMs?: number): Promise<unknown> {
    // In small letters, ioredis would make an object of the reply, and texts of the bytes.
    return this.#call(() => this.#send(this.#options.commands.reading('HGETALL', [key])), withinMs)
  }

  /** Runs one command that can be repeated. */
  command(name: string, args: (string | number)[], withinMs?: number): Promise<unknown> {
    return this.#call(() => this.#client.callBuffer(name, args), withinMs)
  }

  /** The same on every primary of a cluster, or on the one server. */
  async everywhere(name: string, args: (string | number)[]): Promise<readonly unknown[]> {
    const { nodes } = this.#client
    if (nodes === undefined) return [await this.command(name, args)]
    return await this.#call(async () => {
      return await Promise.all(nodes.call(this.#client, 'master').map((node) => node.callBuffer(name, [...args])))
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#circuit.stop()
    const quit = this.#isUp ? this.#client.quit().catch(() => {}) : Promise.resolve()
    await within(this.#options.timeoutMs, quit, () => new Error('too late')).catch(() => {})
    this.#client.disconnect()
  }

  // ── One call ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** `again`: what is sent after a first failure, where that is something else. */
  #call<T>(send: () => Promise<T>, withinMs: number = this.#options.timeoutMs, again = send): Promise<T> {
    this.counts.calls++
    if (this.#isClosed) return Promise.reject(new BackendError('the redis backend is closed'))
    if (this.#circuit.isOpen) return Promise.reject(this.#unanswered('has not answered lately and is being probed'))
    // As few promises and timers as a call can do with: every request pays for them.
    return new Promise((resolve, reject) => {
      const call = { isOver: false }
      const patience = new Patience(withinMs, () => {
        call.isOver = true
        this.counts.timeouts++
        this.#circuit.fail()
        reject(this.#unanswered(`did not answer within ${withinMs} ms`))
      })
      const answered = (reply: T): void => {
        patience.end()
        this.#circuit.succeed()
        resolve(reply)
      }
      const failed = (error: unknown): void => {
        patience.end()
        reject(error)
      }
      const persist = (failure?: unknown): void => {
        this.#persist(again, call, failure).then(answered, failed)
      }
      if (this.#isUp) this.#sent(send).then(answered, persist)
      else persist()
    })
  }

  /** Asks until there is an answer, after a first `failure` or before anything was sent. */
  async #persist<T>(send: () => Promise<T>, call: { readonly isOver: boolean }, failure?: unknown): Promise<T> {
    const tried = { reconnecting: false }
    for (let error = failure; ; ) {
      if (error !== undefined) await this.#mend(error, call, tried)
      while (!this.#isUp) await this.#up.promise
      if (call.isOver) throw this.#unanswered('answered too late')
      try {
        return await this.#sent(send)
      } catch (another) {
        error = another
      }
    }
  }

  /** Does what may help, or throws what the caller is told. */
  async #mend(error: unknown, call: { readonly isOver: boolean }, tried: { reconnecting: boolean }): Promise<void> {
    if (!(error instanceof Error) || call.isOver || this.#isClosed) throw error
    const cause = causeOf(error)
    const trouble = troubleOf(cause)
    if (trouble === 'unknown') return
    if (trouble === 'refused') throw this.#refused(cause)
    if (trouble === 'readonly') {
      if (tried.reconnecting || !this.#reconnect()) throw await this.#readonly()
      tried.reconnecting = true
    } else await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    this.counts.retries++
  }

  #sent<T>(send: () => Promise<T>): Promise<T> {
    this.#gathering.gather()
    return send()
  }

  /** By its hash first; by its text where that is not known there, or something else came between. */
  #evaluate(script: Script, keysAndArgs: readonly RedisArgument[], withinMs?: number): Promise<unknown> {
    const { commands, evalsha = 'evalsha' } = this.#options
    const send = (name: string, hashOrText: string): Promise<unknown> => {
      return this.#send(commands.encoded(name, [hashOrText, ...keysAndArgs], SHOWN_OF_SCRIPT))
    }
    const byText = (): Promise<unknown> => send(evalsha === 'evalsha' ? 'eval' : 'eval_ro', script.lua)
    return this.#call(() => send(evalsha, script.sha), withinMs, byText)
  }

  #send(command: Sendable): Promise<unknown> {
    return Promise.resolve(this.#client.sendCommand(command))
  }

  /** A new connection asks DNS or the Sentinels anew who the primary is. False: that was tried a moment ago. */
  #reconnect(): boolean {
    this.counts.readonly++
    if (!this.#isUp) return true
    const now = this.#options.now()
    if (now - this.#reconnectedAt < RECONNECT_EVERY_MS) return false
    this.#reconnectedAt = now
    this.counts.reconnects++
    this.#nowDown()
    this.#client.disconnect(true)
    return true
  }

  // ── Errors ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #unanswered(what: string): BackendError {
    return new BackendError(`Redis at ${this.#options.server} ${what}`, { cause: this.#lastError })
  }

  #refused(cause: Error): BackendError {
    this.#circuit.succeed()
    return new BackendError(`Redis at ${this.#options.server} refused: ${cause.message}`, { cause })
  }

  async #readonly(): Promise<BackendError> {
    const replication = await this.#client.info('replication').catch(() => '')
    const [, host = 'another server'] = /master_host:(\S+)/.exec(replication) ?? []
    const [, port = ''] = /master_port:(\d+)/.exec(replication) ?? []
    const primary = port === '' ? host : `${host}:${port}`
    return new BackendError(
      `Redis at ${this.#options.server} is a read-only replica of ${primary}, so nothing was saved: ` +
        'point `backend` at the primary, or promote this one (REPLICAOF NO ONE)',
    )
  }

  // ── The connection ──────────────────────────────────────────────────────────────────────────────────────────────

  #nowUp(): void {
    this.#isUp = true
    this.#generation++
    this.#up.resolve()
    this.#circuit.succeed()
  }

  #nowDown(): void {
    if (!this.#isUp) return
    this.#isUp = false
    this.#up = deferred<void>()
  }

  #noteError(error: Error): void {
    const cause = causeOf(error)
    if (cause.message !== 'Connection is closed.' || this.#lastError === undefined) this.#lastError = cause
    if (isCredentials(cause)) this.#refusal?.(cause)
  }

  #circuitChanged(isOpen: boolean): void {
    const { log, server } = this.#options
    log('warn', isOpen ? 'redis-unanswered' : 'redis-answers-again', { server, reason: this.#lastError?.message ?? '' })
  }

  /** A connection that is there but silent is given up: its other end may have vanished without a word. */
  async #probe(): Promise<void> {
    if (!this.#isUp) throw new Error('not connected')
    const silent = (): Error => {
      this.#nowDown()
      this.#client.disconnect(true)
      return new Error('silent')
    }
    await within(this.#options.timeoutMs, this.#client.callBuffer('ping', []), silent)
  }
}
