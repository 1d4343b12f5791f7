import type { WaitFor } from '../../../src/advisor/trips.js'
import type { EventQueue } from '../../../src/simulator/queue.js'
import type { Answer, Change, Cookie, Store, Values } from './site.js'
import type { Wires } from './wires.js'

/**
 * A store that all nodes ask, behind a network; with replicas, a write is answered once enough of them have
 * it.
 */
export class CentralStore implements Store<Cookie> {
  readonly #queue: EventQueue
  readonly #wires: Wires
  readonly #place: number
  readonly #wait: { readonly replicas: readonly number[]; readonly asked: number } | undefined
  readonly #sessions = new Map<number, Map<string, string>>()
  readonly #copies: Map<number, Map<string, string>>[]

  /**
   * `place`: where it stands among the wires; `replicas`: where its replicas stand, `asked`: how many have to
   * confirm.
   */
  constructor(queue: EventQueue, wires: Wires, place: number, wait?: { replicas: readonly number[]; asked: number }) {
    this.#queue = queue
    this.#wires = wires
    this.#place = place
    this.#wait = wait
    this.#copies = wait === undefined ? [] : wait.replicas.map(() => new Map())
  }

  /** What a write of this store waits for, as the advisor is told it. */
  get waitFor(): WaitFor | undefined {
    if (this.#wait === undefined) return undefined
    const { replicas, asked } = this.#wait
    return { replicas: asked, tripsMs: replicas.map((replica) => this.#wires.tripMs(this.#place, replica)) }
  }

  create(node: number, session: number, done: (answer: Answer<Cookie>) => void): void {
    this.#command(node, () => this.#set(session), () => this.#confirm(node, session, done))
  }

  read(node: number, { session }: Cookie, done: (answer: Answer<Cookie>) => void): void {
    let values: Values = new Map()
    const look = (): void => {
      values = new Map(this.#sessions.get(session))
    }
    this.#command(node, look, () => done({ cookie: { session }, values }))
  }

  write(node: number, { session }: Cookie, change: Change, done: (answer: Answer<Cookie>) => void): void {
    this.#command(node, () => this.#set(session, change), () => this.#confirm(node, session, done))
  }

  copies(): readonly ReadonlyMap<number, Values>[] {
    this.#queue.runUntil(this.#queue.now + 10_000)
    return [this.#sessions, ...this.#copies]
  }

  #set(session: number, change?: Change): void {
    set(this.#sessions, session, change)
    this.#wait?.replicas.forEach((replica, i) => {
      this.#wires.send(this.#place, replica, () => set(this.#copies[i], session, change))
    })
  }

  /**
   * WAIT: a second command, answered once enough replicas have said that they have all that went before it.
   */
  #confirm(node: number, session: number, done: (answer: Answer<Cookie>) => void): void {
    const answer = { cookie: { session }, values: new Map() }
    const wait = this.#wait
    if (wait === undefined) return done(answer)
    this.#wires.send(node, this.#place, () => {
      let confirmed = 0
      const back = (): void => this.#wires.send(this.#place, node, () => done(answer))
      for (const replica of wait.replicas) {
        const heard = (): void => {
          if (++confirmed === wait.asked) back()
        }
        this.#wires.send(this.#place, replica, () => this.#wires.send(replica, this.#place, heard))
      }
    })
  }

  #command(node: number, run: () => void, done: () => void): void {
    this.#wires.send(node, this.#place, () => {
      run()
      this.#wires.send(this.#place, node, done)
    })
  }
}

function set(sessions: Map<number, Map<string, string>> | undefined, session: number, change?: Change): void {
  const values = sessions?.get(session) ?? new Map<string, string>()
  if (change !== undefined) values.set(change.name, change.value)
  sessions?.set(session, values)
}
