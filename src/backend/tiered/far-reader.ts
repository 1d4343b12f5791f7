import type { SessionRef } from '../../session/session.js'
import { isExpired } from '../../session/session.js'
import type { PortableSession, SessionBackend } from '../backend.js'
import type { EndedRefs } from './ended-refs.js'
import type { FarQueue } from './far-queue.js'

export interface FarReaderOptions {
  readonly near: SessionBackend
  readonly far: SessionBackend
  readonly queue: FarQueue
  readonly ended: EndedRefs
  readonly now: () => number
  /** Others write to the far backend alone: who asks later waits for no answer that may be from before such a write. */
  readonly asksAnew: boolean
}

/** `held`: the near backend has it now. `over`: known here to have ended. `unreachable`: nobody can tell. */
export type Brought = 'held' | 'none' | 'over' | 'unreachable'

/** Look-ups under way at once; beyond it nobody can tell. */
const ASKING_MAX = 1_000

/**
 * Brings sessions over that only the far backend holds. Requests that ask for the same one wait together, unless somebody
 * else can have changed it there in between.
 */
export class FarReader {
  readonly #options: FarReaderOptions
  readonly #asking = new Map<string, Promise<Brought>>()
  readonly #counts = { asked: 0, brought: 0, refused: 0, unreachable: 0 }
  #isImporting = false

  constructor(options: FarReaderOptions) {
    this.#options = options
  }

  /** What the near backend tells now comes from an import: nothing happened to the session. */
  get isImporting(): boolean {
    return this.#isImporting
  }

  /** The session that an id names, with whatever the far backend knows of it. */
  async byId(id: string, deadline: number): Promise<Brought> {
    const asking = this.#asking.get(id)
    if (asking !== undefined) return this.#options.asksAnew ? await this.#byId(id, deadline) : await asking
    if (this.#asking.size >= ASKING_MAX) return 'unreachable'
    const answer = this.#byId(id, deadline).finally(() => this.#asking.delete(id))
    this.#asking.set(id, answer)
    return await answer
  }

  /** The session of a birth. */
  async byRef(ref: SessionRef): Promise<Brought> {
    if (this.#options.ended.has(ref)) return 'over'
    return await this.#asked(async () => {
      const session = await this.#options.far.exportOne(ref)
      return session === undefined ? 'none' : await this.take(session)
    })
  }

  /** Both get what they lack of a session; the far one with the next flush. */
  async exchange(ref: SessionRef): Promise<void> {
    const { near, far, queue, ended } = this.#options
    if (ended.has(ref)) return
    await this.#asked(async () => {
      const there = await far.exportOne(ref)
      const brought = there === undefined ? 'none' : await this.take(there)
      const here = await near.exportOne(ref)
      if (here !== undefined && isAhead(here, there)) queue.note(ref)
      return brought
    })
  }

  /** Merges a session into the near backend. One that is over there is over: the far backend learns it. */
  async take(session: PortableSession): Promise<Brought> {
    const { near, ended } = this.#options
    const { birth } = session
    if (ended.has(birth)) return this.#refuse(birth)
    this.#isImporting = true
    const importing = near.importOne(session)
    this.#isImporting = false
    if ((await importing) === 'dead') return this.#isOver(session) ? 'none' : this.#refuse(birth)
    if (ended.has(birth)) {
      await near.destroy(birth, 'destroyed', {})
      return this.#refuse(birth)
    }
    this.#counts.brought++
    return 'held'
  }

  counters(): Readonly<Record<string, number>> {
    return {
      session_mesh_far_asked_total: this.#counts.asked,
      session_mesh_far_brought_total: this.#counts.brought,
      session_mesh_far_refused_total: this.#counts.refused,
      session_mesh_far_unreachable_total: this.#counts.unreachable,
    }
  }

  async #byId(id: string, deadline: number): Promise<Brought> {
    return await this.#asked(async () => {
      const found = await this.#options.far.load(id, undefined, { deadline })
      if (found.state === 'behind') return 'unreachable'
      if (found.state === 'none') return 'none'
      const session = await this.#options.far.exportOne(found.ref)
      return session === undefined ? 'none' : await this.take(session)
    })
  }

  async #asked(ask: () => Promise<Brought>): Promise<Brought> {
    const { queue } = this.#options
    this.#counts.asked++
    try {
      const brought = await ask()
      queue.answered()
      return brought
    } catch (error) {
      this.#counts.unreachable++
      queue.failed(error)
      return 'unreachable'
    }
  }

  #refuse(birth: SessionRef): Brought {
    this.#counts.refused++
    this.#options.ended.add(birth)
    this.#options.queue.kill(birth, 'destroyed')
    return 'over'
  }

  #isOver(session: PortableSession): boolean {
    const { createdAt, maxLifeMs, touchedAt, registers } = session
    const idle = registers.find(({ name }) => name === '\u0000maxIdleMs')?.value
    const maxIdleMs = typeof idle === 'number' ? idle : Infinity
    return isExpired({ createdAt, maxLifeMs, lastAccessedAt: touchedAt, maxIdleMs }, this.#options.now())
  }
}

/** Whether one copy includes a change that the other does not. */
function isAhead(one: PortableSession, other: PortableSession | undefined): boolean {
  const included = new Map(other?.version.map(({ actor, counter }) => [actor, counter]))
  return one.version.some(({ actor, counter }) => counter > (included.get(actor) ?? 0))
}
