import type { IncomingMessage } from 'node:http'
import type { SessionBackend, SessionEvent } from '../../backend/backend.js'
import { NotReadyError } from '../../errors.js'
import type { EndReason, SessionRecord, SessionRef } from '../../session/session.js'
import { Mount, type HttpWorld } from '../mount.js'
import type { ResolvedSessionOptions } from '../options.js'
import { IncomingHead } from '../request/request-head.js'
import { requestSessionOf } from '../request/request-property.js'
import { RequestSession } from '../request/request-session.js'
import type { BindableSocket, BindOptions, BoundSocket } from './bindable-socket.js'
import { SocketBinding } from './socket-binding.js'
import { SocketGroup, type Seat } from './socket-group.js'
import { SocketSession } from './socket-session.js'

interface SocketCounters extends Record<string, number> {
  session_mesh_http_sockets_bound: number
  session_mesh_http_sockets_bound_total: number
  session_mesh_http_sockets_ended_total: number
  session_mesh_http_sockets_refused_total: number
}

/** What a browser is told: RFC 6455, 7.4.1, and the registry of close codes for 1012 and 1013. */
const Close = { policy: 1_008, failed: 1_011, restart: 1_012, later: 1_013 } as const

const SWEEP_EVERY_MS = 250
/** A session is looked at after this at the latest, in case an event was lost on its way. */
const LOOK_EVERY_MS = 30_000
/** The same where the backend has no events. */
const LOOK_EVERY_WITHOUT_EVENTS_MS = 1_000
const RETRY_MS = 1_000
/** How long the last use of a session on another node may take to be heard of here, after its time, milliseconds. */
const OVERDUE_MS = 500
const PER_SESSION_MAX = 100

const REASONS: Readonly<Record<EndReason, string>> = {
  destroyed: 'session ended',
  expired: 'session expired',
  'logged-out': 'logged out',
  replaced: 'session replaced',
  duplicate: 'session ended',
}

/**
 * Ties connections to sessions: what arrives keeps the session alive, and when the session ends, on whatever node, the
 * connection is closed. A connection belongs to the session, not to its id: a rotation goes unnoticed.
 */
export class SocketBinder {
  readonly counters: SocketCounters = {
    session_mesh_http_sockets_bound: 0,
    session_mesh_http_sockets_bound_total: 0,
    session_mesh_http_sockets_ended_total: 0,
    session_mesh_http_sockets_refused_total: 0,
  }
  readonly #mount: Mount
  readonly #backend: SessionBackend
  readonly #lookEveryMs: number
  readonly #groups = new Map<string, SocketGroup>()
  #sweeper: NodeJS.Timeout | undefined
  #unsubscribe: (() => void) | undefined

  constructor(backend: SessionBackend, options: ResolvedSessionOptions, world: HttpWorld) {
    // Neither makes sense without a response: a socket never arrives with an old id, and gets no cookie.
    this.#mount = new Mount(backend, { ...options, lateWrites: 'merge', rolling: false }, world)
    this.#backend = backend
    this.#lookEveryMs = backend.powers.events === false ? LOOK_EVERY_WITHOUT_EVENTS_MS : LOOK_EVERY_MS
  }

  /** Binds a connection to the session of the request that it began with. Never rejects: what fails is closed. */
  async bind(socket: BindableSocket, req: IncomingMessage, options: BindOptions = {}): Promise<BoundSocket> {
    const binding = new SocketBinding(socket)
    socket.onClose(() => this.#leave(binding))
    try {
      const request = requestSessionOf(req) ?? new RequestSession(this.#mount, new IncomingHead(req))
      const loading = request.load()
      if (loading !== undefined) await holding(socket, loading)
      this.#seat(binding, req, request, options)
    } catch (error) {
      this.#refuse(binding, error)
    }
    return binding
  }

  /** Closes all connections: this node leaves, and would hear of no end any more. */
  close(): void {
    for (const group of this.#groups.values()) {
      const seats = [...group.seats]
      this.#forget(group)
      for (const binding of seats) this.#close(binding, Close.restart, 'this node is leaving')
    }
  }

  #seat(binding: SocketBinding, req: IncomingMessage, request: RequestSession, options: BindOptions): void {
    if (binding.isClosed) return
    const { bound, lastAccessedAt } = request.handle ?? {}
    if (bound === undefined) {
      if (options.anonymous !== 'allow') this.#turnAway(binding, Close.policy, 'no session')
      return
    }
    const now = this.#mount.now()
    const group = this.#groupOf(bound.ref, lastAccessedAt ?? now)
    if (group.seats.size >= Math.max(1, options.perSession ?? PER_SESSION_MAX)) {
      this.#turnAway(binding, Close.policy, 'too many connections of this session')
      return
    }
    group.seats.add(binding)
    this.#count(1)
    binding.sit(group, new SocketSession(this.#mount, req, bound))
    binding.socket.onMessage(() => this.#use(group))
    this.#use(group)
    this.#look(group, now)
  }

  #groupOf(ref: SessionRef, notedAt: number): SocketGroup {
    const held = this.#groups.get(keyOf(ref))
    if (held !== undefined) return held
    const group = new SocketGroup(ref, notedAt)
    this.#groups.set(keyOf(ref), group)
    this.#unsubscribe ??= this.#backend.subscribe((event) => this.#hear(event))
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_EVERY_MS).unref()
    return group
  }

  /** Something arrived: the session is in use. */
  #use(group: SocketGroup): void {
    const now = this.#mount.now()
    if (group.seats.size === 0) return
    // Perhaps somebody else used it meanwhile. What is over is not revived.
    if (now >= group.expiresAt && !group.overdue) this.#look(group, now)
    if (now >= group.expiresAt) return
    group.usedAt = Math.max(group.usedAt, now)
    this.#touchIfOwed(group, now)
  }

  #touchIfOwed(group: SocketGroup, now: number): void {
    const { options, counters } = this.#mount
    if (!group.owesTouch(now, options.touchAfter)) return
    group.noted()
    counters.session_mesh_http_touches_total++
    this.#backend.touch(group.ref, group.usedAt)
  }

  #sweep(): void {
    const now = this.#mount.now()
    for (const group of this.#groups.values()) {
      this.#touchIfOwed(group, now)
      if (now >= group.lookAt) this.#look(group, now)
    }
  }

  /** Looks whether the session still lives, and until when. Its end by time needs no other node's word this way. */
  #look(group: SocketGroup, now: number): void {
    if (group.looking) return
    group.looking = true
    group.lookAt = now + RETRY_MS
    const failed = (error: unknown): void => {
      group.looking = false
      // A node that cannot tell ends nothing; it looks again.
      if (!(error instanceof NotReadyError)) this.#mount.logFailure('socket-session-look-failed', error)
    }
    try {
      const answer = this.#backend.read(group.ref)
      if (answer instanceof Promise) answer.then((record) => this.#looked(group, record), failed)
      else this.#looked(group, answer)
    } catch (error) {
      failed(error)
    }
  }

  #looked(group: SocketGroup, record: SessionRecord | undefined): void {
    const now = this.#mount.now()
    group.looking = false
    if (record !== undefined) {
      group.learn(record)
      group.lookAt = Math.min(group.expiresAt, now + this.#lookEveryMs)
      return
    }
    const isExpired = now >= group.expiresAt
    if (isExpired && !group.overdue && this.#backend.powers.events === 'cluster') {
      group.overdue = true
      group.lookAt = now + OVERDUE_MS
      return
    }
    this.#end(group, isExpired ? 'expired' : 'destroyed')
  }

  #hear(event: SessionEvent): void {
    if (event.type !== 'destroyed' && event.type !== 'expired') return
    const group = this.#groups.get(keyOf(event.ref))
    if (group !== undefined) this.#end(group, event.reason)
  }

  #end(group: SocketGroup, reason: EndReason): void {
    const seats = [...group.seats]
    this.#forget(group)
    this.counters.session_mesh_http_sockets_ended_total += seats.length
    for (const binding of seats) this.#close(binding, Close.policy, REASONS[reason])
  }

  #leave(binding: SocketBinding): void {
    binding.isClosed = true
    const { group } = binding
    if (group === undefined || !group.seats.delete(binding)) return
    this.#count(-1)
    if (group.seats.size === 0) {
      // What it did last counts, though the next touch was not due yet.
      if (group.usedAt > group.notedAt) this.#backend.touch(group.ref, group.usedAt)
      this.#forget(group)
    }
  }

  #forget(group: SocketGroup): void {
    this.#count(-group.seats.size)
    group.seats.clear()
    if (this.#groups.get(keyOf(group.ref)) === group) this.#groups.delete(keyOf(group.ref))
    if (this.#groups.size > 0) return
    clearInterval(this.#sweeper)
    this.#sweeper = undefined
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
  }

  #refuse(binding: SocketBinding, error: unknown): void {
    if (error instanceof NotReadyError) {
      this.#turnAway(binding, Close.later, 'try again later')
      return
    }
    this.#mount.logFailure('socket-session-load-failed', error)
    this.#turnAway(binding, Close.failed, 'internal error')
  }

  #turnAway(binding: SocketBinding, code: number, reason: string): void {
    this.counters.session_mesh_http_sockets_refused_total++
    binding.isRefused = true
    this.#close(binding, code, reason)
  }

  #close({ socket }: Seat, code: number, reason: string): void {
    try {
      socket.close(code, reason)
    } catch (error) {
      this.#mount.logFailure('socket-close-failed', error)
    }
  }

  #count(seats: number): void {
    this.counters.session_mesh_http_sockets_bound += seats
    if (seats > 0) this.counters.session_mesh_http_sockets_bound_total += seats
  }
}

async function holding(socket: BindableSocket, until: Promise<void>): Promise<void> {
  socket.hold?.()
  try {
    await until
  } finally {
    socket.release?.()
  }
}

function keyOf({ actor, counter }: SessionRef): string {
  return `${actor}:${counter}`
}
