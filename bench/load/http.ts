/** HTTP to the servers under test: keep-alive connections that are opened once, nothing pipelined. */
import { Pool, type Dispatcher } from 'undici'

export interface Reply {
  readonly status: number
  readonly body: string
  readonly cookies: readonly string[]
}

export type Method = 'GET' | 'POST'

/** Whoever answers requests. */
export interface Server {
  /** Rejects where there is no answer. */
  ask(method: Method, path: string, cookie: string): Promise<Reply>
}

const ANSWER_WITHIN_MS = 20_000

/** Connections to one server. */
export class Connections implements Server {
  readonly #pool: Pool

  constructor(port: number, connections: number) {
    this.#pool = new Pool(`http://127.0.0.1:${port}`, {
      connections,
      pipelining: 1,
      headersTimeout: ANSWER_WITHIN_MS,
      bodyTimeout: ANSWER_WITHIN_MS,
      keepAliveTimeout: 60_000,
    })
  }

  ask(method: Method, path: string, cookie: string): Promise<Reply> {
    const headers = cookie === '' ? {} : { cookie }
    return new Promise((resolve, reject) => {
      this.#pool.dispatch({ method, path, headers }, new Receiver(resolve, reject))
    })
  }

  async close(): Promise<void> {
    await this.#pool.destroy()
  }
}

type Headers = Readonly<Record<string, string | string[] | undefined>>

class Receiver implements Dispatcher.DispatchHandler {
  readonly #resolve: (reply: Reply) => void
  readonly #reject: (error: Error) => void
  #status = 0
  #cookies: readonly string[] = []
  #body = ''

  constructor(resolve: (reply: Reply) => void, reject: (error: Error) => void) {
    this.#resolve = resolve
    this.#reject = reject
  }

  onRequestStart(): void {}

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Headers): void {
    this.#status = status
    const cookies = headers['set-cookie']
    this.#cookies = cookies === undefined ? [] : typeof cookies === 'string' ? [cookies] : cookies
  }

  onResponseData(_: Dispatcher.DispatchController, bytes: Buffer): void {
    this.#body += bytes.toString('latin1')
  }

  onResponseEnd(): void {
    this.#resolve({ status: this.#status, body: this.#body, cookies: this.#cookies })
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#reject(error)
  }
}
