/**
 * What every backend means, as a plain object, and sequences of commands that are played on a backend and on it. Where
 * backends may differ, a predicate here says so; everything else has to be the same.
 */
import fc from 'fast-check'
import { expect } from 'vitest'
import type { SessionBackend } from '../../src/backend/backend.js'
import { birthText } from '../../src/backend/births.js'
import type { SessionRef } from '../../src/session/session.js'
import { delta, valuesIn } from '../backend/tiered/support.js'

export interface Played {
  /** The nodes; one backend may stand for several. */
  readonly nodes: readonly SessionBackend[]
  readonly settle: () => Promise<void>
  /** Time passes for these sessions. */
  readonly advance: (ms: number, sessions: readonly SessionRef[]) => void | Promise<void>
  /** The nodes keep nothing themselves, so that it is enough to ask one of them, another one each time. */
  readonly oneViewAtATime?: true
  /** By how much lifetimes are longer, where time runs by itself, too, while commands are played. Default 1. */
  readonly scale?: number
}

const NAMES = ['a', 'b', 'c'] as const
const PRINCIPALS = ['ada', 'bob'] as const
const IDLE_MS = 2_000
const STEP_MS = 1_200

const index = fc.nat({ max: 7 })
const node = fc.nat({ max: 2 })
const name = fc.constantFrom(...NAMES)
const value = fc.integer({ min: 0, max: 99 })
const at = { session: index, node }

const command = fc.oneof(
  fc.record({ do: fc.constant('create' as const), node, value, owner: fc.option(fc.constantFrom(...PRINCIPALS)) }),
  { weight: 3, arbitrary: fc.record({ do: fc.constant('set' as const), ...at, name, value }) },
  fc.record({ do: fc.constant('remove' as const), ...at, name }),
  fc.record({ do: fc.constant('merge' as const), ...at, other: node, value }),
  fc.record({ do: fc.constant('contend' as const), ...at, other: node, value }),
  fc.record({ do: fc.constant('rotate' as const), ...at, owner: fc.option(fc.constantFrom(...PRINCIPALS)) }),
  fc.record({ do: fc.constant('destroy' as const), ...at }),
  fc.record({ do: fc.constant('destroy-while-saving' as const), ...at, other: node, value }),
  fc.record({ do: fc.constant('log-out-everywhere' as const), node, owner: fc.constantFrom(...PRINCIPALS) }),
  fc.record({ do: fc.constant('touch' as const), ...at }),
  fc.record({ do: fc.constant('wait' as const) }),
)

/** Several plays at once, on the same backends. What fails is told as it was drawn: making it shorter would take minutes. */
export async function playAll(played: Played, sequences: number, atOnce: number): Promise<void> {
  const several = fc.array(commands, { minLength: atOnce, maxLength: atOnce })
  const playOne = async (list: readonly Command[]): Promise<void> => {
    await play(list, played).catch((cause: unknown) => {
      throw new Error(`${String(cause)}\nafter ${JSON.stringify(list)}`, { cause })
    })
  }
  const property = fc.asyncProperty(several, async (lists) => {
    const failed = (await Promise.allSettled(lists.map(playOne))).find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  })
  await fc.assert(property, { numRuns: Math.ceil(sequences / atOnce), endOnFailure: atOnce > 1 })
}

export type Command = typeof command extends fc.Arbitrary<infer T> ? T : never

/** At least 30 commands, the first of which makes a session. */
export const commands: fc.Arbitrary<readonly Command[]> = fc
  .array(command, { minLength: 30, maxLength: 40 })
  .map((list) => [{ do: 'create', node: 0, value: 0, owner: null } as const, ...list])

interface Model {
  readonly ref: SessionRef
  id: string
  readonly oldIds: string[]
  readonly values: Map<string, number>
  owner: string | undefined
  usedAt: number
  isOver: boolean
  hasExpired: boolean
}

let plays = 0

/** Plays the commands, and checks after each. */
export async function play(list: readonly Command[], played: Played): Promise<void> {
  await new Play(played, `${++plays}-`).run(list)
}

class Play {
  readonly #played: Played
  readonly #prefix: string
  readonly #sessions: Model[] = []
  #now = 0
  #looks = 0

  /** `prefix`: of principals, because plays share backends. */
  constructor(played: Played, prefix: string) {
    this.#played = played
    this.#prefix = prefix
  }

  async run(list: readonly Command[]): Promise<void> {
    for (const step of list) {
      const touched = await this.#step(step)
      await this.#played.settle()
      for (const session of touched) await this.#check(session)
    }
    for (const session of this.#sessions) await this.#check(session)
    await this.#checkOwners()
    for (const { ref, isOver } of this.#sessions) if (!isOver) await this.#at(0).destroy(ref, 'destroyed', {})
  }

  async #step(step: Command): Promise<readonly Model[]> {
    if (step.do === 'create') return [await this.#create(step)]
    if (step.do === 'log-out-everywhere') return await this.#logOut(step.node, step.owner)
    if (step.do === 'wait') return await this.#wait()
    const session = this.#sessions[step.session % this.#sessions.length]
    if (session === undefined) return []
    const { ref } = session
    const first = this.#at(step.node)
    const second = this.#at('other' in step ? step.other : 0)
    switch (step.do) {
      case 'set':
        this.#wrote(session, (await first.save(ref, delta({ [step.name]: step.value }), {})).outcome, { [step.name]: step.value })
        break
      case 'remove':
        this.#wrote(session, (await first.save(ref, delta({ [step.name]: undefined }), {})).outcome, { [step.name]: undefined })
        break
      case 'merge': {
        // Two requests at once that change different attributes: both count.
        const [x, y] = await Promise.all([first.save(ref, delta({ a: step.value }), {}), second.save(ref, delta({ b: step.value }), {})])
        this.#wrote(session, x.outcome, { a: step.value })
        this.#wrote(session, y.outcome, { b: step.value })
        break
      }
      case 'contend': {
        // Two requests at once that change the same one: one of them counts, the same on every node.
        const values = [step.value, step.value + 100] as const
        const saved = await Promise.all([first.save(ref, delta({ c: values[0] }), {}), second.save(ref, delta({ c: values[1] }), {})])
        for (const { outcome } of saved) this.#wrote(session, outcome, {})
        if (!session.isOver) await this.#adopt(session, 'c', values)
        break
      }
      case 'rotate':
        await this.#rotate(session, first, step.owner)
        break
      case 'destroy':
        this.#ended(session, (await first.destroy(ref, 'logged-out', {})).outcome)
        break
      case 'destroy-while-saving': {
        // Whichever is first, the session is over: a save is answered `gone`, or what it wrote is gone with the session.
        const [ended] = await Promise.all([first.destroy(ref, 'logged-out', {}), second.save(ref, delta({ a: step.value }), {})])
        this.#ended(session, ended.outcome)
        break
      }
      case 'touch':
        first.touch(ref, IN_THE_FUTURE)
        if (!session.isOver) session.usedAt = this.#now
    }
    return [session]
  }

  async #create({ node: from, value: n, owner }: Extract<Command, { do: 'create' }>): Promise<Model> {
    const change = { ...delta({ a: n }), ...(owner === null ? {} : { principal: this.#prefix + owner }) }
    const maxIdleMs = IDLE_MS * (this.#played.scale ?? 1)
    const { outcome, id, ref } = await this.#at(from).create(change, { maxIdleMs, maxLifeMs: Infinity })
    expect(outcome).toBe('done')
    const session: Model = {
      ref, id, oldIds: [], values: new Map([['a', n]]), owner: owner ?? undefined, usedAt: this.#now, isOver: false, hasExpired: false,
    }
    this.#sessions.push(session)
    return session
  }

  async #rotate(session: Model, on: SessionBackend, owner: string | null): Promise<void> {
    const change = { ...delta({}), ...(owner === null ? {} : { principal: this.#prefix + owner }) }
    const { outcome, id } = await on.rotate(session.ref, change, {})
    this.#wrote(session, outcome, {})
    if (id === undefined) return
    session.oldIds.push(session.id)
    session.id = id
    if (owner !== null) session.owner = owner
  }

  async #logOut(from: number, owner: string): Promise<readonly Model[]> {
    const theirs = this.#sessions.filter((session) => session.owner === owner && !session.isOver)
    const { outcome, sessions } = await this.#at(from).revoke(this.#prefix + owner, {})
    expect({ outcome, sessions }).toEqual({ outcome: 'done', sessions: theirs.length })
    for (const session of theirs) session.isOver = true
    return theirs
  }

  async #wait(): Promise<readonly Model[]> {
    const { advance, scale = 1 } = this.#played
    await advance(STEP_MS * scale, this.#sessions.map(({ ref }) => ref))
    this.#now += STEP_MS
    const idle = this.#sessions.filter((session) => !session.isOver && this.#now >= session.usedAt + IDLE_MS)
    for (const session of idle) {
      session.isOver = true
      session.hasExpired = true
    }
    return idle
  }

  #wrote(session: Model, outcome: string, values: Readonly<Record<string, number | undefined>>): void {
    expect(outcome).toBe(session.isOver ? 'gone' : 'done')
    if (session.isOver) return
    session.usedAt = this.#now
    for (const [attribute, n] of Object.entries(values)) {
      if (n === undefined) session.values.delete(attribute)
      else session.values.set(attribute, n)
    }
  }

  #ended(session: Model, outcome: string): void {
    expect(outcomesOfEnding(session)).toContain(outcome)
    session.isOver = true
  }

  async #adopt(session: Model, attribute: string, values: readonly number[]): Promise<void> {
    await this.#played.settle()
    const found = await this.#at(0).load(session.id, undefined, { deadline: Infinity })
    if (found.state !== 'found') throw new Error(`not found: ${JSON.stringify(found)}`)
    const winner = valuesIn(found.session)[attribute]
    expect(values).toContain(winner)
    session.values.set(attribute, Number(winner))
  }

  /** The same on every node: the session by its id with all its values, or none; none by its former ids. */
  async #check(session: Model): Promise<void> {
    for (const backend of this.#views()) {
      const answer = await backend.load(session.id, undefined, { deadline: Infinity })
      const record = await backend.read(session.ref)
      if (session.isOver) {
        expect({ state: answer.state, record }).toEqual({ state: 'none', record: undefined })
      } else {
        if (answer.state !== 'found') throw new Error(`not found: ${JSON.stringify(answer)}`)
        expect(answer.ref).toEqual(session.ref)
        expect(valuesIn(answer.session)).toEqual(Object.fromEntries(session.values))
        expect(answer.session.principal).toBe(session.owner === undefined ? undefined : this.#prefix + session.owner)
        expect(record === undefined ? undefined : valuesIn(record)).toEqual(Object.fromEntries(session.values))
      }
      const old = session.oldIds.at(-1)
      if (old !== undefined) expect((await backend.load(old, undefined, { deadline: Infinity })).state).toBe('none')
    }
  }

  async #checkOwners(): Promise<void> {
    for (const owner of PRINCIPALS) {
      const theirs = this.#sessions.filter((session) => session.owner === owner && !session.isOver)
      for (const backend of this.#views()) {
        const found = await backend.find(this.#prefix + owner)
        expect(found.map(birthText).sort()).toEqual(theirs.map(({ ref }) => birthText(ref)).sort())
      }
    }
  }

  #views(): Iterable<SessionBackend> {
    const { nodes, oneViewAtATime } = this.#played
    return oneViewAtATime === true ? [this.#at(this.#looks++)] : new Set(nodes)
  }

  #at(number: number): SessionBackend {
    const { nodes } = this.#played
    return nodes[number % nodes.length] as SessionBackend
  }
}

/** Backends take an access that is not yet as one of now. */
const IN_THE_FUTURE = Date.UTC(2100, 0, 1)

/** Ending a session that expired: some backends can still tell that it was there. */
function outcomesOfEnding({ isOver, hasExpired }: Model): readonly string[] {
  if (!isOver) return ['done']
  return hasExpired ? ['gone', 'done'] : ['gone']
}
