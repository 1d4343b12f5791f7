import type { Concern } from '../replica/events.js'
import { sameDot, type Dot } from '../session/session.js'
import { Exchange, type Ask, type ExchangeHost, type Intent, type Reply, type ServedReply } from './exchange.js'
import { isRaised, Jar, slotOf } from './jar.js'
import type { SimulatedNode } from './node.js'
import type { Random } from './random.js'
import { join, NOTHING_SEEN, type Seen } from './seen.js'

export interface BrowserOptions {
  readonly name: string
  /** Pages that are used at the same time, with one jar. */
  readonly tabs: number
  /** Whose browser this is. */
  readonly principal: string
  readonly carriesStamps: boolean
  readonly thinkMs: number
}

export interface BrowserHost extends ExchangeHost {
  readonly nodes: readonly SimulatedNode[]
  /** Whether people have gone home. */
  readonly isQuiet: boolean
  /** 1 while the world has seen as many commits as it should by now; above, people take it easier, below they hurry. */
  readonly leisure: number
  /** What applications write. */
  readonly attributes: readonly string[]
  answered(reply: Reply['type'] | 'refused'): void
}

const TIMEOUT_MS = 3_000
const ATTEMPTS_MAX = 6
/** Whoever comes back to a page reads a little before writing again. */
const LOOKS_AROUND = 3

/** One browser: a cookie jar, people clicking in one or more tabs, and a balancer that sends each click anywhere. */
export class Browser {
  readonly jar = new Jar()
  readonly #options: BrowserOptions
  readonly #host: BrowserHost
  readonly #random: Random
  /** Clicks that only read, by people who come back. */
  #looksAround = 0
  /** What was seen of the session that the jar names. */
  #ideal: { readonly birth: Dot; readonly seen: Seen } | undefined = undefined

  constructor(options: BrowserOptions, host: BrowserHost, random: Random) {
    this.#options = options
    this.#host = host
    this.#random = random
    for (let tab = 0; tab < options.tabs; tab++) this.#think()
  }

  get isParallel(): boolean {
    return this.#options.tabs > 1
  }

  #think(): void {
    this.#host.queue.after(this.#thinkMs(), () => {
      if (!this.#host.isQuiet) this.#click()
    })
  }

  #thinkMs(): number {
    const random = this.#random
    const { maxIdleMs } = this.#host.lifetimes
    const dice = random.unit()
    if (dice < 0.15) return random.between(0, 60)
    if (maxIdleMs < 120_000) {
      // Away for nearly as long as a session lasts, or for longer.
      if (dice > 0.985) {
        this.#looksAround = LOOKS_AROUND
        return random.between(0.5, 0.99) * maxIdleMs
      }
      if (this.#looksAround > 0) return random.between(0.01, 0.06) * maxIdleMs
      if (dice > 0.98) return random.between(1.02, 1.3) * maxIdleMs
    }
    return random.exponential(this.#options.thinkMs * this.#host.leisure)
  }

  #click(): void {
    const intent = this.#intent()
    if (intent === undefined) this.#think()
    else this.#send(intent, 1)
  }

  #intent(): Intent | undefined {
    const random = this.#random
    const { principal } = this.#options
    const dice = random.unit()
    const attributes = pickSome(random, this.#host.attributes)
    if (this.jar.id !== undefined && this.#looksAround > 0) {
      this.#looksAround--
      return { type: 'read', attributes: [], principal }
    }
    if (this.jar.id === undefined) return { type: dice < 0.5 ? 'log-in' : 'write', attributes, principal }
    if (dice < 0.42) return { type: 'read', attributes: [], principal }
    if (dice < 0.92) return { type: 'write', attributes, principal }
    if (dice < 0.96) return { type: 'log-in', attributes, principal }
    if (dice < 0.995) return { type: 'log-out', attributes: [], principal }
    return { type: 'log-out-everywhere', attributes: [], principal }
  }

  #send(intent: Intent, attempt: number): void {
    const { queue } = this.#host
    const ask = this.#ask(intent)
    const node = this.#balance()
    let isAnswered = false
    const hear = (reply: Reply): void => {
      queue.after(this.#random.chance(0.05) ? this.#random.between(0, 300) : this.#random.between(0.2, 4), () => {
        if (isAnswered) return
        isAnswered = true
        this.#host.answered(reply.type)
        this.#receive(ask, node, reply, attempt)
      })
    }
    queue.after(this.#random.between(0.2, 4), () => {
      const { process } = node
      if (process === undefined) {
        isAnswered = true
        this.#host.answered('refused')
        this.#retry(intent, attempt, 0)
      } else void new Exchange(ask, node, process, this.#host, hear)
    })
    queue.after(TIMEOUT_MS, () => {
      if (!isAnswered) hear({ type: 'failed' })
    })
  }

  #ask(intent: Intent): Ask {
    const { name, carriesStamps } = this.#options
    const { id } = this.jar
    const carried = id === undefined || !carriesStamps ? undefined : this.jar.stamp(id.birth, this.#host.queue.now)
    const ideal =
      id !== undefined && this.#ideal !== undefined && sameDot(this.#ideal.birth, id.birth)
        ? this.#ideal.seen
        : NOTHING_SEEN
    return {
      browser: name,
      isParallel: this.isParallel,
      intent,
      id,
      stamp: carried?.stamp,
      seen: carried?.seen ?? NOTHING_SEEN,
      ideal,
      concern: this.#concern(),
    }
  }

  /** Any node, for preference one that says it is ready. */
  #balance(): SimulatedNode {
    const node = this.#random.pick(this.#host.nodes)
    if (node.process?.replica.roster.isReady === true || this.#random.chance(0.2)) return node
    return this.#random.pick(this.#host.nodes)
  }

  #receive(ask: Ask, node: SimulatedNode, reply: Reply, attempt: number): void {
    const { jar } = this
    const isStillMine = jar.id !== undefined && jar.id.hash === ask.id?.hash
    switch (reply.type) {
      case 'served':
        this.#served(ask, node, reply)
        break
      case 'none':
        if (isStillMine) jar.clear()
        break
      case 'over':
        if (jar.id !== undefined && ask.id !== undefined && sameDot(jar.id.birth, ask.id.birth)) jar.clear()
        break
      case 'behind':
        this.#retry(ask.intent, attempt, 300)
        return
      case 'failed':
        this.#retry(ask.intent, attempt, 20)
        return
    }
    this.#think()
  }

  #served(ask: Ask, node: SimulatedNode, reply: ServedReply): void {
    const { jar } = this
    if (reply.id !== undefined) jar.id = reply.id
    const { birth, stamp, seen, stale } = reply
    if (stale) jar.forgetStamps(birth)
    if (this.#options.carriesStamps && stamp !== undefined && (stale || isRaised(ask.stamp, stamp))) {
      jar.setStamp(slotOf(node.name), { birth, stamp, seen, setAt: this.#host.queue.now })
    }
    if (jar.id === undefined || !sameDot(jar.id.birth, birth)) return
    const before =
      this.#ideal !== undefined && sameDot(this.#ideal.birth, birth) && !stale
        ? this.#ideal.seen
        : NOTHING_SEEN
    this.#ideal = { birth, seen: join(before, seen) }
  }

  #retry(intent: Intent, attempt: number, delayMs: number): void {
    if (attempt >= ATTEMPTS_MAX || this.#host.isQuiet) this.#think()
    else this.#host.queue.after(delayMs + this.#random.between(0, 20), () => this.#send(intent, attempt + 1))
  }

  #concern(): Concern {
    const dice = this.#random.unit()
    if (dice < 0.85) return 'async'
    return dice < 0.9 ? 'one' : dice < 0.95 ? 'quorum' : 'all'
  }
}

function pickSome(random: Random, attributes: readonly string[]): readonly string[] {
  const first = random.pick(attributes)
  if (random.chance(0.7)) return [first]
  const second = random.pick(attributes)
  return first === second ? [first] : [first, second]
}
