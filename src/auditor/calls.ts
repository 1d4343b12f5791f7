import type { AuditedStore, Callback } from './store.js'

/**
 * The methods of a store as promises, which fail when it does not call back in time. What is missing is
 * undefined.
 */
export class Calls {
  readonly #store: AuditedStore
  readonly #withinMs: number

  constructor(store: AuditedStore, withinMs: number) {
    this.#store = store
    this.#withinMs = withinMs
  }

  /** Undefined when there is none. */
  async get(id: string): Promise<object | undefined> {
    const value = await this.answerOf('get', id)
    return typeof value === 'object' && value !== null ? value : undefined
  }

  /** As express-session hands sessions to stores: with a cookie that has no end. */
  async set(id: string, data: object): Promise<void> {
    await this.answerOf('set', id, sessionOf(data))
  }

  async touch(id: string): Promise<void> {
    await this.answerOf('touch', id, sessionOf({}))
  }

  async destroy(id: string): Promise<void> {
    await this.answerOf('destroy', id)
  }

  async clear(): Promise<void> {
    await this.answerOf('clear')
  }

  async length(): Promise<number> {
    return Number(await this.answerOf('length'))
  }

  /** How many `all` tells: stores answer with a list, or with an object by id. */
  async countAll(): Promise<number> {
    const value = await this.answerOf('all')
    if (Array.isArray(value)) return value.length
    return typeof value === 'object' && value !== null ? Object.keys(value).length : 0
  }

  /** Whatever the store calls back with. */
  async answerOf(name: keyof AuditedStore, ...args: readonly unknown[]): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise((resolve, reject) => {
        const late = new Error(`${name} did not call back within ${this.#withinMs} ms`)
        timer = setTimeout(() => reject(late), this.#withinMs)
        const callback: Callback = (error, value) => {
          if (error === undefined || error === null) resolve(value)
          else reject(error instanceof Error ? error : new Error(`${name}: ${JSON.stringify(error)}`))
        }
        const method: unknown = this.#store[name]
        if (typeof method !== 'function') return resolve(undefined)
        // Some stores answer with a promise as well; one that fails unheard would end the process.
        const returned: unknown = Reflect.apply(method, this.#store, [...args, callback])
        if (returned instanceof Promise) returned.catch(reject)
      })
    } finally {
      clearTimeout(timer)
    }
  }
}

function sessionOf(data: object): object {
  return { cookie: { originalMaxAge: null, expires: null, httpOnly: true, path: '/' }, ...data }
}
