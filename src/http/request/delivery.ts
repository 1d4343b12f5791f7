import type { Answer, SeenTokens } from '../../backend/backend.js'
import { andThen } from '../answer.js'
import { assertRoom, findOver } from '../carriers/accounts.js'
import type { Carrier, ResponseHeader } from '../carriers/carrier.js'
import type { Mount } from '../mount.js'
import type { RequestHead } from './request-head.js'

const NO_HEADERS: readonly ResponseHeader[] = []
const NO_IDS: ReadonlySet<string> = new Set()

/** What the browser of one request has to learn: collected until the headers of the response leave. */
export class Delivery {
  /** The id, of those the request brings, by which its session was found. */
  foundBy: string | undefined
  readonly #mount: Mount
  readonly #req: RequestHead
  /** Whether the browser holds an id, so that it has to be told when that ends. */
  #browserHasId: boolean
  #headers: ResponseHeader[] | undefined
  #tokens: Map<string, string> | undefined
  /** Ids of the browser's other sessions that are over. */
  #over = NO_IDS
  #left = false

  constructor(mount: Mount, req: RequestHead, browserHasId: boolean) {
    this.#mount = mount
    this.#req = req
    this.#browserHasId = browserHasId
  }

  /** The headers are on their way: nothing can be added any more. */
  get left(): boolean {
    return this.#left
  }

  /** What has to be in the head of the response; afterwards nothing can be added. */
  leave(): readonly ResponseHeader[] {
    this.#left = true
    return this.#headers ?? NO_HEADERS
  }

  /** Why no id can reach the browser; undefined when one can. */
  obstacle(): string | undefined {
    return this.#carrier.obstacle(this.#req)
  }

  /** Goes on once it is known what else leaves the browser's cookie when that is written. */
  prepare<T>(next: () => Answer<T>): Answer<T> {
    const { backend, options, now } = this.#mount
    const { accounts } = this.#carrier
    if (accounts === undefined || this.#left) return next()
    return andThen(findOver(accounts, this.#req, backend, now() + options.loadWithin), (over) => {
      this.#over = over
      return next()
    })
  }

  /** Throws when the browser can hold no further session. */
  assertRoom(): void {
    const { accounts } = this.#carrier
    if (accounts !== undefined) assertRoom(accounts, this.#req, this.#over)
  }

  grant(id: string): void {
    this.#browserHasId = true
    this.#add(this.#carrier.grant(this.#req, id, this.#over))
  }

  /** The same id once more, so that its time in the browser starts anew. */
  renew(id: string): void {
    if (!this.#left && this.obstacle() === undefined) this.#add(this.#carrier.grant(this.#req, id, this.#over))
  }

  revoke(): void {
    if (!this.#browserHasId || this.#left) return
    for (const header of this.#mount.carrier.revoke(this.#req, this.#over)) this.#add(header)
  }

  /** Hands tokens to the browser. Once the headers are gone they are lost, which only costs the next node a look. */
  stamp(seen: SeenTokens): void {
    if (this.#left) return
    this.#tokens ??= new Map<string, string>()
    for (const [slot, token] of seen) this.#tokens.set(slot, token)
    for (const header of this.#carrier.stamp(this.#req, this.#tokens)) this.#add(header)
  }

  get #carrier(): Carrier {
    return this.#mount.carrier.answering(this.#req, this.foundBy)
  }

  #add(header: ResponseHeader): void {
    const headers = (this.#headers ??= [])
    const same = headers.findIndex(({ key }) => key === header.key)
    if (same < 0) headers.push(header)
    else headers[same] = header
  }
}
