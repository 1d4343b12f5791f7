import { deferred } from '../../deferred.js'
import { BackendError } from '../../errors.js'
import type { SessionRef } from '../../session/session.js'
import type { BackendHealth } from '../backend.js'
import type { CountedStamps } from '../counted-stamps.js'
import { Census } from './census.js'
import { nameOf } from './dial.js'
import type { Keys } from './keys.js'
import { SessionReader } from './reader.js'
import { RedisServers, type ServersOptions } from './servers.js'

export interface LifecycleOptions extends ServersOptions {
  readonly keys: Keys
  readonly actor: number
  readonly stamps: CountedStamps
  readonly onUnreachable: 'fail' | 'wait'
  /** Milliseconds between two counts of all sessions. */
  readonly countEveryMs: number
  readonly expired: (ref: SessionRef) => void
}

/** What is there once the backend is open. */
export interface Opened {
  readonly servers: RedisServers
  readonly reader: SessionReader
  readonly census: Census
}

const CHECK_AGAIN_MS = 1_000

/** From not open yet to ready, and to closed. */
export class Lifecycle {
  readonly #options: LifecycleOptions
  readonly #readiness = deferred<void>()
  #opened: Opened | undefined
  #isChecked = false
  #closing: Promise<void> | undefined

  constructor(options: LifecycleOptions) {
    this.#options = options
    // Nobody may be listening when it is rejected: whoever calls ready() gets it.
    this.#readiness.promise.catch(() => {})
  }

  /** Throws where there is nothing to answer with. */
  get opened(): Opened {
    if (this.#opened !== undefined && this.#closing === undefined) return this.#opened
    throw new BackendError(`the redis backend is ${this.#closing === undefined ? 'not open yet' : 'closed'}`)
  }

  /** The same where that is no error. */
  get parts(): Opened | undefined {
    return this.#opened
  }

  async open(): Promise<void> {
    const { onUnreachable, timeoutMs, log, now, keys, actor, stamps, random, countEveryMs, expired } = this.#options
    const servers = await RedisServers.load(this.#options)
    this.#opened = {
      servers,
      reader: new SessionReader({ servers, keys, actor, stamps, timeoutMs, now }),
      census: new Census({
        client: servers.primary,
        keys,
        actor,
        random,
        everyMs: countEveryMs,
        counted: () => servers.count(),
        expired,
      }),
    }
    try {
      await servers.primary.open(timeoutMs * 2)
      await this.#check(this.#opened)
    } catch (error) {
      if (onUnreachable === 'fail') {
        await this.close()
        throw error
      }
      log('warn', 'redis-unreachable', { detail: error instanceof Error ? error.message : 'unknown' })
      servers.primary.giveUpForNow()
      void this.#checkWhenUp(this.#opened)
    }
  }

  async ready(): Promise<void> {
    await this.#readiness.promise
  }

  health(): BackendHealth {
    const address = nameOf(this.#options.target)
    const isUp = this.#opened?.servers.primary.isUp === true
    const ready = isUp && this.#isChecked && this.#closing === undefined
    return { ready, detail: this.#detail(isUp, address), peers: [{ node: 'redis', address, state: isUp ? 'up' : 'down' }] }
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  #detail(isUp: boolean, address: string): string {
    if (this.#closing !== undefined) return 'closed'
    if (!isUp) return `Redis at ${address} does not answer`
    return this.#isChecked ? 'ready' : `looking at Redis at ${address}`
  }

  async #close(): Promise<void> {
    this.#opened?.census.stop()
    this.#readiness.reject(new BackendError('the redis backend is closed'))
    await this.#opened?.servers.close()
  }

  /** Counting runs a script, so a user without the right to do that is told at start. */
  async #check({ servers, census }: Opened): Promise<void> {
    await census.count()
    await servers.look()
    census.start()
    this.#isChecked = true
    this.#readiness.resolve()
  }

  async #checkWhenUp(opened: Opened): Promise<void> {
    const { log, target } = this.#options
    while (this.#closing === undefined && !this.#isChecked) {
      await opened.servers.primary.up()
      try {
        await this.#check(opened)
        log('info', 'redis-reached', { server: nameOf(target) })
      } catch (error) {
        log('warn', 'redis-unreachable', { detail: error instanceof Error ? error.message : 'unknown' })
        await new Promise((resolve) => setTimeout(resolve, CHECK_AGAIN_MS).unref())
      }
    }
  }
}
