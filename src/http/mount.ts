import type { SessionBackend } from '../backend/backend.js'
import { ConfigError } from '../errors.js'
import type { Log } from '../log.js'
import type { Carrier } from './carriers/carrier.js'
import { carrierOf } from './carriers/carriers.js'
import { newCounters, type DropReason, type HttpCounters } from './counters.js'
import type { ResolvedSessionOptions } from './options.js'
import type { AttributeWatch } from './services/attribute-watch.js'
import type { CreationStacks } from './services/creation-stacks.js'
import type { PrincipalLimit } from './services/principal-limit.js'

/** What a middleware receives instead of reaching for it. */
export interface HttpWorld {
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly log: Log
  /** Who is to be told of attributes. */
  readonly attributes?: AttributeWatch
  /** How many sessions one principal may have. */
  readonly principalLimit?: PrincipalLimit
  /** Where the origins of sessions are noted. */
  readonly creations?: CreationStacks
}

/** One mounted middleware: what all of its requests share. */
export class Mount {
  readonly backend: SessionBackend
  readonly options: ResolvedSessionOptions
  readonly carrier: Carrier
  readonly now: () => number
  readonly counters: HttpCounters = newCounters()
  readonly cookie: Readonly<Record<string, unknown>>
  readonly attributes: AttributeWatch | undefined
  readonly principalLimit: PrincipalLimit | undefined
  readonly creations: CreationStacks | undefined
  /** A value was read that nobody could have written. */
  readonly onUndecodable: () => void = () => {
    this.counters.session_mesh_http_values_undecodable_total++
  }
  readonly #log: Log
  readonly #warned = new Set<string>()

  constructor(backend: SessionBackend, options: ResolvedSessionOptions, world: HttpWorld) {
    if (options.merge.size > 0 && backend.powers.merges !== true) {
      throw new ConfigError([`merge: the ${backend.type} backend does not merge attributes`], 'session options')
    }
    this.backend = backend
    this.options = options
    this.carrier = carrierOf(options)
    this.now = world.now
    this.cookie = Object.freeze({ ...options.cookie })
    this.attributes = world.attributes
    this.principalLimit = world.principalLimit
    this.creations = world.creations
    this.#log = world.log
  }

  /** Says something once per mount, however often it happens; counters tell how often. */
  warnOnce(event: string, detail: string): void {
    if (this.#warned.has(event)) return
    this.#warned.add(event)
    this.#log('warn', event, { detail })
  }

  /** Says what failed, without anything that a request brought. */
  logFailure(event: string, error: unknown): void {
    this.#log('error', event, { detail: error instanceof Error ? error.message : String(error) })
  }

  countDrop(why: DropReason, detail: string): void {
    this.counters[`session_mesh_http_writes_dropped_total{why="${why}"}`]++
    this.warnOnce(`session-writes-dropped-${why}`, detail)
  }
}
