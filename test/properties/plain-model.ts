/**
 * What every backend means, as a plain object, and sequences of commands that are played on a backend and on it. Where
 * backends may differ, a predicate here says so; everything else has to be the same.
 */
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect } from 'vitest'
import type { SessionBackend } from '../../src/backend/backend.js'
import { birthText } from '../../src/backend/births.js'
import type { SessionRef } from '../../src/session/session.js'
import { delta, valuesIn } from '../backend/tiered/support.js'
import { groupOf, PRINCIPALS, type Command, type Group, type Sequence } from './commands.js'

export interface Played {
  /** The nodes; one backend may stand for several. */
  readonly nodes: readonly SessionBackend[]
  readonly settle: () => Promise<void>
  /** Time passes for these sessions. */
  readonly advance: (ms: number, sessions: readonly SessionRef[]) => void | Promise<void>
  /**
   * Looks at one node at a time, another one each time: `always` where the nodes keep nothing themselves; `to-find`
   * only when it asks what a principal has, which is a question to every shard, and then about one principal.
   */
  readonly oneViewAtATime?: 'always' | 'to-find'
  /** By how much lifetimes are longer, where time runs by itself, too, while commands are played. Default 1. */
  readonly scale?: number
}

const IDLE_MS = 2_000
const STEP_MS = 1_200

/** Plays so many sequences, several at a time on the same nodes. */
export async function playAll(played: Played, sequences: number, atOnce: number): Promise<void> {
  const property = fc.asyncProperty(groupOf(atOnce), async (group) => await play(group, played))
  // Of several, what failed is told as it was drawn: making it shorter would take minutes.
  await fc.assert(property, { numRuns: Math.ceil(sequences / atOnce), endOnFailure: atOnce > 1 })
}

let plays = 0

/**
 * Plays sequences side by side: in each round every one of them gives its next command, all at once; then the nodes
 * settle, and everything that was touched is looked at.
 */
export async function play({ sequences, waits }: Group, played: Played): Promise<void> {
  const all = sequences.map((sequence) => new Play(played, ++plays, sequence))
  const each = async (act: (one: Play) => Promise<void>): Promise<void> => {
    const outcomes = await Promise.allSettled(all.map(act))
    const failed = outcomes.findIndex(({ status }) => status === 'rejected')
    const outcome = outcomes[failed]
    if (outcome?.status !== 'rejected') return
    const group = JSON.stringify({ sequences: [sequences[failed]], waits })
    throw new Error(`${String(outcome.reason)}\none of ${all.length} sequences: ${group}`, { cause: outcome.reason })
  }
  const rounds = Math.max(...sequences.map(({ length }) => length))
  for (let round = 0; round < rounds; round++) {
    if (waits.includes(round)) {
      await played.advance(STEP_MS * (played.scale ?? 1), all.flatMap(({ refs }) => refs))
      for (const one of all) one.timePassed()
      await played.settle()
      await each(async (one) => await one.look())
    }
    await each(async (one) => await one.act(round))
    await played.settle()
    await each(async (one) => await one.look())
  }
  await each(async (one) => await one.lookAtAll())
  await each(async (one) => await one.end())
}

interface Model {
  readonly ref: SessionRef
  id: string
  readonly oldIds: string[]
  readonly values: Map<string, number>
  owner: string | undefined
  usedAt: number
  isOver: boolean
  hasExpired: boolean
  /** Written at once to one attribute: which of them counts is for the nodes to say. */
  contended: readonly number[] | undefined
}

/** One sequence, and what must come of it. */
class Play {
  readonly #played: Played
  readonly #prefix: string
  readonly #sequence: Sequence
  readonly #sessions: Model[] = []
  #touched: readonly Model[] = []
  #now = 0
  #looks: number

  constructor(played: Played, number: number, sequence: Sequence) {
    this.#played = played
    // Of principals, because plays share backends.
    this.#prefix = `${number}-`
    this.#sequence = sequence
    this.#looks = number
  }

  get refs(): readonly SessionRef[] {
    return this.#sessions.map(({ ref }) => ref)
  }

  async act(round: number): Promise<void> {
    const command = this.#sequence[round]
    this.#touched = command === undefined ? [] : await this.#perform(command)
  }

  timePassed(): void {
    this.#now += STEP_MS
    this.#touched = this.#sessions.filter((session) => !session.isOver && this.#now >= session.usedAt + IDLE_MS)
    for (const session of this.#touched) {
      session.isOver = true
      session.hasExpired = true
    }
  }

  /** At what the last command touched, or what the time ended. */
  async look(): Promise<void> {
    for (const session of this.#touched) {
      if (session.contended !== undefined) await this.#adopt(session, session.contended)
      await this.#check(session)
    }
  }

  async lookAtAll(): Promise<void> {
    for (const session of this.#sessions) await this.#check(session)
    await this.#checkOwners()
  }

  /** Leaves nothing behind. */
  async end(): Promise<void> {
    for (const { ref, isOver } of this.#sessions) if (!isOver) await this.#at(0).destroy(ref, 'destroyed', {})
  }

  async #perform(step: Command): Promise<readonly Model[]> {
    if (step.do === 'create') return [await this.#create(step)]
    if (step.do === 'log-out-everywhere') return await this.#logOut(step.node, step.owner)
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
        if (!session.isOver) session.contended = values
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
      ref, id, oldIds: [], values: new Map([['a', n]]), owner: owner ?? undefined, usedAt: this.#now,
      isOver: false, hasExpired: false, contended: undefined,
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

  #wrote(session: Model, outcome: string, values: Readonly<Record<string, number | undefined>>): void {
    same(outcome, session.isOver ? 'gone' : 'done')
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

  async #adopt(session: Model, values: readonly number[]): Promise<void> {
    session.contended = undefined
    const found = await this.#at(0).load(session.id, undefined, { deadline: Infinity })
    if (found.state !== 'found') throw new Error(`not found: ${JSON.stringify(found)}`)
    const winner = valuesIn(found.session)['c']
    expect(values).toContain(winner)
    session.values.set('c', Number(winner))
  }

  /** The same on every node: the session by its id with all its values, or none; none by its former ids. */
  async #check(session: Model): Promise<void> {
    const values = Object.fromEntries(session.values)
    const principal = session.owner === undefined ? undefined : this.#prefix + session.owner
    const former = session.oldIds.at(-1)
    for (const backend of this.#views()) {
      const answer = await backend.load(session.id, undefined, { deadline: Infinity })
      const record = await backend.read(session.ref)
      const read = record === undefined ? undefined : valuesIn(record)
      if (session.isOver) {
        same({ state: answer.state, read }, { state: 'none', read: undefined })
      } else {
        if (answer.state !== 'found') throw new Error(`not found: ${JSON.stringify(answer)}`)
        const loaded = { ref: birthText(answer.ref), values: valuesIn(answer.session), principal: answer.session.principal }
        same({ ...loaded, read }, { ref: birthText(session.ref), values, principal, read: values })
      }
      if (former !== undefined) same((await backend.load(former, undefined, { deadline: Infinity })).state, 'none')
    }
  }

  async #checkOwners(): Promise<void> {
    const { nodes, oneViewAtATime } = this.#played
    for (const [number, owner] of PRINCIPALS.entries()) {
      if (oneViewAtATime !== undefined && number !== this.#looks % PRINCIPALS.length) continue
      const theirs = this.#sessions.filter((session) => session.owner === owner && !session.isOver)
      for (const backend of oneViewAtATime === undefined ? new Set(nodes) : [this.#at(this.#looks)]) {
        const found = await backend.find(this.#prefix + owner)
        same(found.map(birthText).sort(), theirs.map(({ ref }) => birthText(ref)).sort())
      }
    }
  }

  #views(): Iterable<SessionBackend> {
    const { nodes, oneViewAtATime } = this.#played
    return oneViewAtATime === 'always' ? [this.#at(this.#looks++)] : new Set(nodes)
  }

  #at(number: number): SessionBackend {
    const { nodes } = this.#played
    return nodes[number % nodes.length] as SessionBackend
  }
}

/** As `toEqual`, whose own work is worth saving where there are millions of comparisons. */
function same(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected)
}

/** Backends take an access that is not yet as one of now. */
const IN_THE_FUTURE = Date.UTC(2100, 0, 1)

/** Ending a session that expired: some backends can still tell that it was there. */
function outcomesOfEnding({ isOver, hasExpired }: Model): readonly string[] {
  if (!isOver) return ['done']
  return hasExpired ? ['gone', 'done'] : ['gone']
}
