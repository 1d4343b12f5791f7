import type { SessionBackend } from '../../backend/backend.js'
import type { Log } from '../../log.js'
import { EndHandles } from '../../session/end-handle.js'
import type { SessionRef } from '../../session/session.js'
import { handleOf } from '../handle/session-proxy.js'
import type { HttpWorld } from '../mount.js'
import type { ResolvedSessionOptions } from '../options.js'
import { SocketBinder } from '../sockets/socket-binder.js'
import { WebSockets } from '../sockets/websocket.js'
import { AttributeWatch } from './attribute-watch.js'
import { CreationStacks } from './creation-stacks.js'
import { explain, type Explanation } from './explain.js'
import { PrincipalLimit, type MaxSessions } from './principal-limit.js'
import { Principals } from './principals.js'

export interface SessionServicesOptions {
  readonly backend: SessionBackend
  readonly session: ResolvedSessionOptions
  /** What handles of `sessionsOf` are signed with: the first signs, all verify. */
  readonly secrets: readonly string[]
  readonly maxSessions?: MaxSessions | undefined
  readonly creationStacks: boolean
  readonly now: () => number
  readonly log: Log
}

/** What a node does with sessions beside answering requests. Nothing of it costs anything until it is used. */
export class SessionServices {
  /** What mounts of the middleware receive. */
  readonly world: HttpWorld
  readonly attributes: AttributeWatch
  readonly principals: Principals
  readonly sockets: SocketBinder
  readonly webSockets: WebSockets
  readonly #backend: SessionBackend
  readonly #creations: CreationStacks | undefined
  readonly #limit: PrincipalLimit | undefined

  constructor({ backend, session, secrets, maxSessions, creationStacks, now, log }: SessionServicesOptions) {
    this.#backend = backend
    this.#creations = creationStacks ? new CreationStacks() : undefined
    this.#limit = maxSessions === undefined ? undefined : new PrincipalLimit(backend, maxSessions, log)
    this.attributes = new AttributeWatch(log)
    this.principals = new Principals(backend, new EndHandles(secrets))
    this.world = {
      now,
      log,
      attributes: this.attributes,
      ...(this.#creations === undefined ? {} : { creations: this.#creations }),
      ...(this.#limit === undefined ? {} : { principalLimit: this.#limit }),
    }
    this.sockets = new SocketBinder(backend, session, this.world)
    this.webSockets = new WebSockets(this.sockets)
  }

  open(): void {
    this.#limit?.open()
  }

  close(): void {
    this.#limit?.close()
    this.sockets.close()
  }

  async explain(ref: SessionRef): Promise<Explanation> {
    return await explain(this.#backend, ref, this.#creations)
  }
}

/** What names the session for good; undefined as long as it is in no backend. */
export function refOf(session: object | undefined): SessionRef | undefined {
  return session === undefined ? undefined : handleOf(session)?.bound?.ref
}
