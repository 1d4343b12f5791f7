import type { IncomingMessage } from 'node:http'
import type { Client } from './client.js'

export interface Answer {
  readonly status: number
  /** Where a redirect leads. */
  readonly location: string | undefined
  /** The node that answered, by the shop's own word; empty when none did. */
  readonly node: string
  readonly user: string | undefined
  readonly body: string
}

/** For the `Client` that browsers share. */
export const ANSWER_WITHIN_MS = 10_000
const REDIRECTS_MAX = 3

/** Takes the place of an answer when the connection broke or nothing came in time. */
const UNANSWERED: Answer = { status: 0, location: undefined, node: '', user: undefined, body: '' }

/** As much of a browser as sessions need: a cookie jar, forms, redirects followed at once. */
export class Browser {
  readonly cookies: Map<string, string> = new Map()
  readonly #port: number
  readonly #client: Client

  constructor(port: number, client: Client) {
    this.#port = port
    this.#client = client
  }

  /** The same cookies, sent to one node past the proxy. Browsers do not tell ports apart either. */
  at(port: number): Browser {
    const other = new Browser(port, this.#client)
    for (const [name, value] of this.cookies) other.cookies.set(name, value)
    return other
  }

  async get(path: string): Promise<Answer> {
    return await this.#send('GET', path)
  }

  async post(path: string, fields: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return await this.#send('POST', path, new URLSearchParams(fields).toString())
  }

  /** Follows redirects, but stops in front of the login page: that is the answer then. */
  async follow(answer: Answer): Promise<Answer> {
    let last = answer
    for (let hops = 0; hops < REDIRECTS_MAX; hops++) {
      if (last.location === undefined || leadsToLogin(last)) return last
      last = await this.get(last.location)
    }
    return last
  }

  #send(method: 'GET' | 'POST', path: string, form?: string): Promise<Answer> {
    return new Promise((resolve) => {
      const headers: Record<string, string | number> = { Cookie: this.#cookieHeader() }
      if (form !== undefined) {
        headers['Content-Type'] = 'application/x-www-form-urlencoded'
        headers['Content-Length'] = Buffer.byteLength(form)
      }
      const options = { port: this.#port, method, path, headers }
      const outgoing = this.#client.request(options, (incoming) => this.#read(incoming, resolve))
      outgoing.on('error', () => resolve(UNANSWERED))
      outgoing.end(form)
    })
  }

  #read(incoming: IncomingMessage, resolve: (answer: Answer) => void): void {
    this.#keep(incoming.headers['set-cookie'] ?? [])
    let body = ''
    incoming.setEncoding('utf8')
    incoming.on('data', (text: string) => (body += text))
    incoming.on('error', () => resolve(UNANSWERED))
    incoming.on('end', () => {
      const { location } = incoming.headers
      const user = decodeURIComponent(header(incoming, 'x-shop-user')) || undefined
      resolve({ status: incoming.statusCode ?? 0, location, node: header(incoming, 'x-node'), user, body })
    })
  }

  /** Paths and lifetimes do not matter here: the shop's cookies are for all of it, and outlive the demo. */
  #keep(lines: readonly string[]): void {
    for (const line of lines) {
      const [, name = '', value = ''] = /^([^=;]+)=([^;]*)/.exec(line) ?? []
      const expires = /;\s*expires=([^;]+)/i.exec(line)?.[1]
      const ended = /;\s*max-age=0/i.test(line) || (expires !== undefined && Date.parse(expires) <= 0)
      if (value === '' || ended) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
  }

  #cookieHeader(): string {
    return Array.from(this.cookies, ([name, value]) => `${name}=${value}`).join('; ')
  }
}

/** The login loop, seen from outside: somebody who logged in is sent to log in. */
export function leadsToLogin(answer: { readonly location: string | undefined }): boolean {
  return answer.location === '/login'
}

function header(incoming: IncomingMessage, name: string): string {
  const value = incoming.headers[name]
  return typeof value === 'string' ? value : ''
}
