/** What a node of session-mesh can be asked without HTTP: what its middleware would ask of the backend. */
import { setImmediate as turn } from 'node:timers/promises'
import type { SessionBackend } from '../../src/backend/backend.js'
import type { Log } from '../../src/log.js'
import { RegisterKind, type SessionDelta, type SessionRef } from '../../src/session/session.js'
import { decodeValue, encodeValue } from '../../src/session/value.js'
import { keeperOrders, ownText, paced, type Attribute, type Keeper } from './keeper.js'
import { monotonicUs } from './monotonic.js'
import type { Handlers, HistoryEntry, Moment, Rushing } from './orders.js'
import { attributeName } from './text.js'

const LIVES = { maxIdleMs: 30 * 60_000, maxLifeMs: Infinity } as const
/** Longer than any batch takes. */
const CONFIRMED_WITHIN_MS = 60_000
const RUSH_BATCH = 256
const WRITTEN = attributeName(0)
/** Sessions that are written to one after the other. */
const KEPT = 1_000

/** Links that came and went, from the log of the one node of this process. */
export class History {
  readonly entries: HistoryEntry[] = []

  /** Keeps what it is for, and hands warnings on. */
  readonly log: Log = (level, event, fields) => {
    if (event === 'link-up' || event === 'link-down' || event === 'ready') this.entries.push({ event, atUs: monotonicUs() })
    if (level === 'warn' || level === 'error') process.stderr.write(`${event} ${JSON.stringify(fields ?? {})}\n`)
  }
}

export function backendOrders(backend: SessionBackend, history: History): Handlers {
  const keeper = new MeshKeeper(backend)
  const seen: Moment[] = []
  return {
    ...keeperOrders(keeper),
    counters: () => ({ ...backend.counters() }),
    history: () => history.entries,
    watch: () => {
      backend.subscribe(({ type, ref, local }) => {
        if (type === 'changed' && !local) void note(backend, ref, seen)
      })
      return null
    },
    seen: () => seen,
    write: async (writing) => {
      const moments: Moment[] = []
      await paced(writing, (number) => {
        const version = number + 1
        moments.push([version, monotonicUs()])
        return keeper.write(keeper.next(), [WRITTEN, ownText(version, writing.bytes)])
      })
      return moments
    },
    rush: async (rushing) => {
      await rush(backend, keeper, rushing)
      return null
    },
  }
}

/** Reads what another node wrote, as a request would. */
async function note(backend: SessionBackend, ref: SessionRef, seen: Moment[]): Promise<void> {
  const answer = backend.read(ref)
  const record = answer instanceof Promise ? await answer : answer
  const decoded = decodeValue(record?.attributes.get(WRITTEN) ?? new Uint8Array())
  if (decoded.ok) seen.push([Number.parseInt(String(decoded.value), 10), monotonicUs()])
}

async function rush(backend: SessionBackend, keeper: MeshKeeper, { writes, bytes, confirmed }: Rushing): Promise<void> {
  const value = encodeValue(ownText(0, bytes), WRITTEN)
  const delta: SessionDelta = { writes: [{ name: WRITTEN, kind: RegisterKind.lww, value }] }
  const unconfirmed = confirmed ? writes - 1 : writes
  for (let done = 0; done < unconfirmed; ) {
    const end = Math.min(done + RUSH_BATCH, unconfirmed)
    for (; done < end; done++) void backend.save(keeper.next(), delta, { acks: 'async' })
    await turn()
  }
  if (confirmed) await backend.save(keeper.next(), delta, { acks: 'one', withinMs: CONFIRMED_WITHIN_MS })
}

class MeshKeeper implements Keeper<SessionRef> {
  readonly #backend: SessionBackend
  readonly #refs: SessionRef[] = []
  #next = 0

  constructor(backend: SessionBackend) {
    this.#backend = backend
  }

  create(attributes: readonly Attribute[], last: boolean): SessionRef | Promise<SessionRef> {
    const acks = last ? 'all' : 'async'
    const made = this.#backend.create(deltaOf(attributes), { ...LIVES, acks, withinMs: CONFIRMED_WITHIN_MS })
    return made instanceof Promise ? made.then(({ ref }) => this.#keep(ref)) : this.#keep(made.ref)
  }

  write(ref: SessionRef, attribute: Attribute): unknown {
    return this.#backend.save(ref, deltaOf([attribute]), { acks: 'async' })
  }

  /** One of the first sessions after the other. */
  next(): SessionRef {
    const ref = this.#refs[this.#next++ % this.#refs.length]
    if (ref === undefined) throw new Error('fill before you write')
    return ref
  }

  #keep(ref: SessionRef): SessionRef {
    if (this.#refs.length < KEPT) this.#refs.push(ref)
    return ref
  }
}

function deltaOf(attributes: readonly Attribute[]): SessionDelta {
  return {
    writes: attributes.map(([name, text]) => ({ name, kind: RegisterKind.lww, value: encodeValue(text, name) })),
  }
}
