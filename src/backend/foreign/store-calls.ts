import { BackendError } from '../../errors.js'
import { within } from '../tiered/answers.js'
import { isForeignRecord } from './record.js'

type Done = (error?: unknown) => void

/** A store of express-session, as far as every one of them goes; `all` is what many have beside that. */
export interface ForeignStore {
  get(id: string, done: (error: unknown, session?: unknown) => void): void
  set(id: string, session: never, done?: Done): void
  destroy(id: string, done?: Done): void
  touch?(id: string, session: never, done?: Done): void
  all?(done: (error: unknown, sessions?: unknown) => void): void
}

const LATE = Symbol('late')

/** A store's callbacks as promises that answer in time. */
export class StoreCalls {
  readonly #store: ForeignStore
  readonly #timeoutMs: number

  constructor(store: ForeignStore, timeoutMs: number) {
    this.#store = store
    this.#timeoutMs = timeoutMs
  }

  async get(key: string): Promise<unknown> {
    return await this.#call((done) => this.#store.get(key, done))
  }

  async set(key: string, record: object): Promise<void> {
    await this.#call((done) => this.#store.set(key, record as never, done))
  }

  async destroy(key: string): Promise<void> {
    await this.#call((done) => this.#store.destroy(key, done))
  }

  /** Every record; stores answer with a list or with an object by id. */
  async all(): Promise<readonly unknown[]> {
    const store = this.#store
    if (!('all' in store)) throw new BackendError('this store cannot list its sessions (it has no all())')
    const records = await this.#call((done) => store.all?.(done))
    if (Array.isArray(records)) return records
    return isForeignRecord(records) ? Object.values(records) : []
  }

  async #call(act: (done: (error?: unknown, value?: unknown) => void) => void): Promise<unknown> {
    const answer = new Promise<{ readonly error: unknown; readonly value: unknown }>((resolve) => {
      act((error, value) => resolve({ error, value }))
    })
    const answered = await within(answer, this.#timeoutMs, LATE)
    if (answered === LATE) throw new BackendError(`the store did not answer within ${this.#timeoutMs} ms`)
    const { error, value } = answered
    if (error === undefined || error === null) return value
    // How some stores say that there is none.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new BackendError('the store failed', { cause: error })
  }
}
