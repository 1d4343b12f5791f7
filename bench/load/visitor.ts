/** A browser with one session, that knows what it wrote last and checks every answer against it. */
import { attributeName, textOf } from '../servers/text.js'
import type { Method, Reply, Server } from './http.js'

/** `stale`: an older value than the last acknowledged one; `wrong`: one that nobody wrote. */
export type Outcome = 'right' | 'stale' | 'wrong' | 'failed'

export interface Shape {
  readonly attributes: number
  readonly bytes: number
}

/** Of a session as most are: 1 KB. */
export const TEN_OF_100: Shape = { attributes: 10, bytes: 100 }

export class Visitor {
  readonly shape: Shape
  readonly #withStamps: boolean
  readonly #jar = new Map<string, string>()
  /** The version last acknowledged, by attribute. */
  readonly #versions: number[] = []
  /** Attributes whose last write was not answered: it may have been done, or be done yet. */
  readonly #unsure = new Set<number>()
  #cookie = ''

  /** Without stamps it is a browser that keeps the session's id and nothing else. */
  constructor(shape: Shape = TEN_OF_100, withStamps = true) {
    this.shape = shape
    this.#withStamps = withStamps
  }

  /** Another tab, or whoever stole the cookies: the same session from here on. */
  copy(): Visitor {
    const other = new Visitor(this.shape, this.#withStamps)
    for (const [name, value] of this.#jar) other.#jar.set(name, value)
    other.#versions.push(...this.#versions)
    for (const attribute of this.#unsure) other.#unsure.add(attribute)
    other.#cookie = this.#cookie
    return other
  }

  /** Begins a session anew. */
  async create(server: Server, version = 0): Promise<Outcome> {
    this.#jar.clear()
    this.#unsure.clear()
    this.#cookie = ''
    const { attributes, bytes } = this.shape
    const reply = await this.ask(server, 'POST', `/create/${version}/${attributes}/${bytes}`)
    if (reply?.status !== 200) return 'failed'
    for (let i = 0; i < attributes; i++) this.#versions[i] = version
    return this.#cookie !== '' && reply.body === textOf(version, bytes) ? 'right' : 'wrong'
  }

  async read(server: Server, attribute: number): Promise<Outcome> {
    const expected = this.#versions[attribute] ?? 0
    const reply = await this.ask(server, 'GET', `/read/${attributeName(attribute)}`)
    if (reply?.status !== 200) return 'failed'
    if (reply.body === textOf(expected, this.shape.bytes)) return 'right'
    if (this.#unsure.has(attribute) && reply.body === textOf(expected + 1, this.shape.bytes)) {
      this.#settle(attribute, expected + 1)
      return 'right'
    }
    const found = Number.parseInt(reply.body, 10)
    return found < expected && reply.body === textOf(found, this.shape.bytes) ? 'stale' : 'wrong'
  }

  async write(server: Server, attribute: number): Promise<Outcome> {
    const version = (this.#versions[attribute] ?? 0) + 1
    const { bytes } = this.shape
    const reply = await this.ask(server, 'POST', `/write/${attributeName(attribute)}/${version}/${bytes}`)
    if (reply?.status !== 200) {
      this.#unsure.add(attribute)
      return 'failed'
    }
    this.#settle(attribute, version)
    return reply.body === textOf(version, bytes) ? 'right' : 'wrong'
  }

  #settle(attribute: number, version: number): void {
    this.#versions[attribute] = version
    this.#unsure.delete(attribute)
  }

  /** Any request of this browser; undefined where no answer came. */
  async ask(server: Server, method: Method, path: string): Promise<Reply | undefined> {
    try {
      const reply = await server.ask(method, path, this.#cookie)
      if (reply.cookies.length > 0) this.#keep(reply.cookies)
      return reply
    } catch {
      return undefined
    }
  }

  #keep(lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(';')
      const at = pair.indexOf('=')
      const name = pair.slice(0, at)
      if (!this.#withStamps && isStamp(name)) continue
      if (attributes.some((attribute) => ENDED.test(attribute))) this.#jar.delete(name)
      else this.#jar.set(name, pair.slice(at + 1))
    }
    this.#cookie = [...this.#jar].map(([name, value]) => `${name}=${value}`).join('; ')
  }
}

const ENDED = /^\s*(?:max-age=0|expires=Thu, 01 Jan 1970.*)$/i

/** session-mesh puts what a browser has seen into cookies called after the session's. */
function isStamp(name: string): boolean {
  return /\.v\d*$/.test(name)
}
