import { randomBytes } from 'node:crypto'
import { vi, expect } from 'vitest'
import type {
  Answer, BackendHealth, BackendPowers, CommitOptions, Committed, Created, CreateOptions, LoadOptions, LoadResult,
  PortableSession, Rotated, SeenTokens, SessionBackend, SessionEvent,
} from '../../../src/backend/backend.js'
import { MemoryBackend } from '../../../src/backend/memory/memory.js'
import { ReplicatedBackend } from '../../../src/backend/replicated/replicated.js'
import { SeenSealer } from '../../../src/backend/replicated/seen.js'
import { TieredBackend, type TieredOptions } from '../../../src/backend/tiered/tiered.js'
import { BackendError } from '../../../src/errors.js'
import { silent } from '../../../src/log.js'
import { IdCodec } from '../../../src/session/id.js'
import type { EndReason, NodeId, SessionDelta, SessionRecord, SessionRef } from '../../../src/session/session.js'
import { decodeValue, encodeValue } from '../../../src/session/value.js'
import { LoopbackHub, LoopbackTransport } from '../../../src/transport/loopback.js'

const SECRETS = ['0123456789abcdef0123456789abcdef']
export const START: number = Date.UTC(2026, 0, 1)
export const LIVES: CreateOptions = { maxIdleMs: 1_800_000, maxLifeMs: Infinity }
export const ids: IdCodec = new IdCodec(SECRETS, randomBytes)
export const seals: SeenSealer = new SeenSealer(SECRETS)

/** Time that runs, and that a test can put forward. */
export class Clock {
  #ahead = 0
  readonly #from = performance.now()
  readonly now = (): number => START + Math.floor(performance.now() - this.#from) + this.#ahead

  advance(ms: number): void {
    this.#ahead += ms
  }
}

/** A backend behind a network: it answers later, or not at all. */
export class Remote implements SessionBackend {
  readonly type: string
  readonly powers: BackendPowers
  #inner: SessionBackend
  readonly #delay: () => number
  isDown = false
  /** What the backend tells now was caused by a call through here. */
  #isActing = false
  /** Calls that reached it. */
  readonly calls: string[] = []

  /** So many turns of the event loop pass before each call arrives, and again before its answer does. */
  constructor(inner: SessionBackend, delay: () => number = () => 0) {
    this.#inner = inner
    this.#delay = delay
    this.type = inner.type
    this.powers = inner.powers
  }

  /** Another machine under the same address. */
  replaceBy(inner: SessionBackend): void {
    this.#inner = inner
  }

  async load(id: string, seen: SeenTokens | undefined, options: LoadOptions): Promise<LoadResult> {
    return await this.#call('load', () => this.#inner.load(id, seen, options))
  }

  async read(ref: SessionRef): Promise<SessionRecord | undefined> {
    return await this.#call('read', () => this.#inner.read(ref))
  }

  async create(change: SessionDelta, options: CreateOptions): Promise<Created> {
    return await this.#call('create', () => this.#inner.create(change, options))
  }

  async save(ref: SessionRef, change: SessionDelta, options: CommitOptions): Promise<Committed> {
    return await this.#call('save', () => this.#inner.save(ref, change, options))
  }

  async rotate(ref: SessionRef, change: SessionDelta, options: CommitOptions): Promise<Rotated> {
    return await this.#call('rotate', () => this.#inner.rotate(ref, change, options))
  }

  async destroy(ref: SessionRef, reason: EndReason, options: CommitOptions): Promise<Committed> {
    return await this.#call('destroy', () => this.#inner.destroy(ref, reason, options))
  }

  touch(ref: SessionRef, at: number): void {
    if (!this.isDown) this.#inner.touch(ref, at)
  }

  async find(principal: string): Promise<readonly SessionRef[]> {
    return await this.#call('find', () => this.#inner.find(principal))
  }

  async revoke(principal: string, options: CommitOptions): Promise<Committed & { readonly sessions: number }> {
    return await this.#call('revoke', () => this.#inner.revoke(principal, options))
  }

  async *exportAll(cursor?: string): AsyncGenerator<PortableSession> {
    await this.#call('exportAll', () => undefined)
    for await (const session of this.#inner.exportAll(cursor)) yield await this.#call('export', () => session)
  }

  async exportOne(ref: SessionRef): Promise<PortableSession | undefined> {
    return await this.#call('exportOne', () => this.#inner.exportOne(ref))
  }

  async importOne(session: PortableSession): Promise<'imported' | 'known' | 'dead'> {
    return await this.#call('importOne', () => this.#inner.importOne(session))
  }

  async digest(): Promise<string> {
    return await this.#call('digest', () => this.#inner.digest())
  }

  open(): Promise<void> {
    return this.#inner.open()
  }

  ready(): Promise<void> {
    return this.#inner.ready()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  /** What is behind the network. */
  get inner(): SessionBackend {
    return this.#inner
  }

  size(): { readonly sessions: number; readonly bytes: number } {
    return this.#inner.size()
  }

  health(): BackendHealth {
    return { ...this.#inner.health(), ready: !this.isDown }
  }

  counters(): Readonly<Record<string, number>> {
    return this.#inner.counters()
  }

  subscribe(listener: (event: SessionEvent) => void): () => void {
    return this.#inner.subscribe((event) => {
      if (!this.isDown) listener({ ...event, local: this.#isActing })
    })
  }

  async #call<T>(name: string, act: () => Answer<T>): Promise<T> {
    await turns(this.#delay())
    if (this.isDown) throw new BackendError('the far backend is down (by test)')
    this.calls.push(name)
    this.#isActing = true
    const acting = act()
    this.#isActing = false
    const answer = await acting
    await turns(this.#delay())
    return answer
  }
}

export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

let nodes = 0

/** One node of a replicated cluster, not opened. */
export function replicatedNode(hub: LoopbackHub, address: string, peers: readonly string[], now: () => number, sessions = 1_000_000): ReplicatedBackend {
  const actor = 1_000 + ++nodes
  const node = `node-${actor}` as NodeId
  const hello = { cluster: 'tiered', node, actor, startedAt: now(), settings: {} }
  const transport = new LoopbackTransport({ hub, hello, address, peers, now, randomBytes, log: silent })
  return new ReplicatedBackend({
    node, actor, startedAt: now(), transport, peers, ids, seals, now, log: silent, limits: { sessions },
    bootstrapTimeoutMs: 50,
  })
}

export function memory(now: () => number, sessions?: number): MemoryBackend {
  return new MemoryBackend({ ids, now, actor: 1_000 + ++nodes, limits: sessions === undefined ? {} : { sessions } })
}

export interface Nodes {
  readonly hub: LoopbackHub
  readonly addresses: readonly string[]
  readonly nearest: readonly ReplicatedBackend[]
  readonly tiers: readonly TieredBackend[]
  readonly close: () => Promise<void>
}

export type Extra = Partial<Omit<TieredOptions, 'near' | 'far' | 'now'>>

/** Several nodes with replicated memories over one far backend, open and ready. */
export async function tieredNodes(size: number, far: () => SessionBackend, clock: Clock, extra: Extra = {}, sessions?: number): Promise<Nodes> {
  const hub = new LoopbackHub()
  const addresses = Array.from({ length: size }, () => hub.freeAddress())
  const nearest = addresses.map((address) =>
    replicatedNode(hub, address, addresses.filter((other) => other !== address), clock.now, sessions),
  )
  const tiers = nearest.map((near) => tiered(near, far(), clock, extra))
  await Promise.all(tiers.map((tier) => tier.open()))
  await Promise.all(tiers.map((tier) => tier.ready()))
  return { hub, addresses, nearest, tiers, close: async () => void (await Promise.all(tiers.map((tier) => tier.close()))) }
}

export function tiered(near: SessionBackend, far: SessionBackend, clock: Clock, extra: Extra = {}): TieredBackend {
  return new TieredBackend({ near, far, mode: 'write-behind', now: clock.now, log: silent, flushIntervalMs: 5, ...extra })
}

/** `undefined` removes. */
export function delta(values: Readonly<Record<string, unknown>>): SessionDelta {
  const writes = Object.entries(values).map(([name, value]) => {
    return { name, kind: 0, value: value === undefined ? null : encodeValue(value, name) }
  })
  return { writes }
}

export async function load(backend: SessionBackend, id: string): Promise<LoadResult> {
  return await backend.load(id, undefined, { deadline: Infinity })
}

export async function valuesOf(backend: SessionBackend, id: string): Promise<Record<string, unknown>> {
  const answer = await load(backend, id)
  if (answer.state !== 'found') throw new Error(`not found: ${JSON.stringify(answer)}`)
  return valuesIn(answer.session)
}

export function valuesIn({ attributes }: SessionRecord): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const name of attributes.keys()) {
    const value = decodeValue(attributes.get(name) ?? new Uint8Array())
    values[name] = value.ok ? value.value : undefined
  }
  return values
}

export async function digestsAgree(...backends: readonly SessionBackend[]): Promise<void> {
  await vi.waitFor(
    async () => {
      const [first, ...rest] = await Promise.all(backends.map(async (backend) => await backend.digest()))
      for (const digest of rest) expect(digest).toBe(first)
    },
    { timeout: 5_000, interval: 5 },
  )
}
