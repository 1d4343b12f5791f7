import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type {
  Answer,
  Created,
  CreateOptions,
  LoadResult,
  PortableSession,
  SessionBackend,
  SessionEvent,
} from '../../src/backend/backend.js'
import { birthText } from '../../src/backend/births.js'
import { LimitError } from '../../src/errors.js'
import type { SessionDelta, SessionRef } from '../../src/session/session.js'
import { decodeValue, encodeValue } from '../../src/session/value.js'

/** One backend, or several that replicate, as the contract sees it. All are open and ready. */
export interface BackendUnderTest {
  /** Where the contract writes. */
  readonly write: SessionBackend
  /** Where it reads: the same backend, or another node. */
  readonly read: SessionBackend
  /** The clock all of it runs by, milliseconds since 1970. */
  now(): number
  /** Resolves when what was written is visible on every view. */
  settle(): Promise<void>
  /** Moves the clock. Left out where time is real; what needs it is then skipped. */
  readonly advance?: (ms: number) => void | Promise<void>
  /** A new, empty backend of the same kind, with the same id secrets and clock, that knows none of the others. */
  fresh(): Promise<SessionBackend>
  /** Closes everything, what `fresh` made included. */
  close(): Promise<void>
}

export interface ContractOptions {
  /** Live sessions at most. */
  readonly sessions?: number
}

const MINUTE = 60_000
const LIVES: CreateOptions = { maxIdleMs: 30 * MINUTE, maxLifeMs: Infinity }

/** What every backend promises, as backend.ts says it. */
export function backendContract(name: string, open: (options?: ContractOptions) => Promise<BackendUnderTest>): void {
  describe(`${name} keeps the backend contract:`, () => {
    let tested: BackendUnderTest
    let write: SessionBackend
    let read: SessionBackend

    beforeEach(async () => {
      tested = await open()
      write = tested.write
      read = tested.read
    })
    afterEach(async () => {
      await tested.close()
    })

    const load = async (id: string, view = read): Promise<LoadResult> =>
      await view.load(id, undefined, { deadline: tested.now() + 1_000 })

    const found = async (id: string, view = read): Promise<Extract<LoadResult, { state: 'found' }>> => {
      const answer = await load(id, view)
      if (answer.state !== 'found') throw new Error(`not found: ${JSON.stringify(answer)}`)
      return answer
    }

    const valuesOf = async (id: string, view = read): Promise<Record<string, unknown>> => {
      const { session } = await found(id, view)
      const values: Record<string, unknown> = {}
      for (const key of session.attributes.keys()) values[key] = decoded(session.attributes.get(key))
      return values
    }

    const create = async (values: Record<string, unknown> = {}, options: Partial<CreateOptions> = {}): Promise<Created> => {
      const created = await write.create(delta(values), { ...LIVES, ...options })
      await tested.settle()
      return created
    }

    const save = async (ref: SessionRef, values: Record<string, unknown>, view = write): Promise<string> => {
      const { outcome } = await view.save(ref, delta(values), {})
      await tested.settle()
      return outcome
    }

    describe('sessions', () => {
      it('a created session is found by its id, with its attributes and lifetimes', async () => {
        const { outcome, id, ref } = await create({ user: 'ada', n: 1 }, { maxLifeMs: 60 * MINUTE })

        const answer = await found(id)

        expect(outcome).toBe('done')
        expect(answer.ref).toEqual(ref)
        expect(await valuesOf(id)).toEqual({ user: 'ada', n: 1 })
        expect(answer.session).toMatchObject({ maxIdleMs: 30 * MINUTE, maxLifeMs: 60 * MINUTE, principal: undefined })
        expect(answer.session.attributes.size).toBe(2)
        expect(answer.session.attributes.has('user')).toBe(true)
        expect(answer.session.attributes.has('toString')).toBe(false)
        expect(Math.abs(answer.session.createdAt - tested.now())).toBeLessThan(5_000)
      })

      it('an unknown id, and what is no id at all, find nothing', async () => {
        await create()
        for (const id of ['', 'x', 'A'.repeat(48), '__proto__', '../../etc/passwd', 'a\u0000b', 'A'.repeat(9_000)]) {
          expect(await load(id)).toMatchObject({ state: 'none', why: 'unknown' })
        }
      })

      it('two sessions do not know of each other', async () => {
        const a = await create({ user: 'ada' })
        const b = await create({ user: 'bob' })
        await save(b.ref, { cart: 1 })

        expect(a.id).not.toBe(b.id)
        expect(await valuesOf(a.id)).toEqual({ user: 'ada' })
        expect(await valuesOf(b.id)).toEqual({ user: 'bob', cart: 1 })
      })

      it('a loaded record does not change when the session does', async () => {
        const { id, ref } = await create({ n: 1, gone: true })
        const before = await found(id)

        await save(ref, { n: 2, gone: undefined, more: true })

        expect(decoded(before.session.attributes.get('n'))).toBe(1)
        expect([...before.session.attributes.keys()].sort()).toEqual(['gone', 'n'])
        expect(await valuesOf(id)).toEqual({ n: 2, more: true })
      })

      it('is read by its ref, whatever id it has, until it ends', async () => {
        const { ref } = await create({ n: 1 }, { maxLifeMs: 60 * MINUTE })
        const before = await read.read(ref)
        await write.rotate(ref, { ...delta({ n: 2 }), principal: 'ada' }, {})
        await tested.settle()

        expect(decoded((await read.read(ref))?.attributes.get('n'))).toBe(2)
        expect(await read.read(ref)).toMatchObject({ principal: 'ada', maxIdleMs: 30 * MINUTE, maxLifeMs: 60 * MINUTE })
        expect(decoded(before?.attributes.get('n'))).toBe(1)
        expect(await read.read({ actor: ref.actor, counter: ref.counter + 1_000 })).toBeUndefined()

        await write.destroy(ref, 'destroyed', {})
        await tested.settle()
        expect(await read.read(ref)).toBeUndefined()
        expect(await write.read(ref)).toBeUndefined()
      })

      it('counts what it holds', async () => {
        expect(read.size()).toMatchObject({ sessions: 0 })
        const { ref } = await create({ text: 'x'.repeat(1_000) })
        expect(read.size().sessions).toBe(1)
        expect(read.size().bytes).toBeGreaterThanOrEqual(1_000)

        await write.destroy(ref, 'destroyed', {})
        await tested.settle()

        expect(read.size()).toMatchObject({ sessions: 0, bytes: 0 })
      })
    })

    describe('saving', () => {
      it('merges commits that change different attributes', async () => {
        const { id, ref } = await create({ a: 0, b: 0 })
        await save(ref, { a: 1 })
        await save(ref, { b: 2 })
        expect(await valuesOf(id)).toEqual({ a: 1, b: 2 })
      })

      it('keeps both of two commits on two views that change different attributes at once', async () => {
        const { id, ref } = await create()
        await Promise.all([write.save(ref, delta({ a: 1 }), {}), read.save(ref, delta({ b: 2 }), {})])
        await tested.settle()
        expect(await valuesOf(id, read)).toEqual({ a: 1, b: 2 })
        expect(await valuesOf(id, write)).toEqual({ a: 1, b: 2 })
      })

      it('lets the later commit to one attribute win', async () => {
        const { id, ref } = await create({ n: 0 })
        await save(ref, { n: 1 })
        await save(ref, { n: 2 }, read)
        expect(await valuesOf(id, write)).toEqual({ n: 2 })
      })

      it('removes attributes, and lets them come back', async () => {
        const { id, ref } = await create({ a: 1, b: 2 })
        await save(ref, { a: undefined, never: undefined })
        expect(await valuesOf(id)).toEqual({ b: 2 })
        await save(ref, { a: 3 })
        expect(await valuesOf(id)).toEqual({ a: 3, b: 2 })
      })

      it('keeps names that mean something to JavaScript as plain data', async () => {
        const { id } = await create({ constructor: 1, toString: 2, prototype: 3 })
        expect(await valuesOf(id)).toEqual({ constructor: 1, toString: 2, prototype: 3 })
      })
    })

    describe('a new id', () => {
      it('finds the same session, and the old id finds none', async () => {
        const { id, ref } = await create({ cart: 1 })

        const rotated = await write.rotate(ref, delta({ user: 'ada' }), {})
        await tested.settle()

        if (rotated.outcome === 'gone') throw new Error('gone')
        expect(rotated.id).not.toBe(id)
        expect(await load(id)).toMatchObject({ state: 'none', why: 'rotated' })
        expect((await found(rotated.id)).ref).toEqual(ref)
        expect(await valuesOf(rotated.id)).toEqual({ cart: 1, user: 'ada' })
      })

      it('does not concern requests that have loaded the session already', async () => {
        const { ref } = await create()
        const rotated = await write.rotate(ref, delta({}), {})
        await tested.settle()

        expect(await save(ref, { late: true })).toBe('done')

        expect(await valuesOf(rotated.id ?? '')).toEqual({ late: true })
      })

      it('is refused to a session that is gone', async () => {
        const { ref } = await create()
        await write.destroy(ref, 'destroyed', {})
        await tested.settle()
        expect(await write.rotate(ref, delta({ user: 'ada' }), {})).toMatchObject({ outcome: 'gone' })
        expect(write.size().sessions).toBe(0)
      })
    })

    describe('an id that somebody else made', () => {
      const FOREIGN = 'kW4vF2n_q8Zt0sXyB6mEo1LpRd7uJc3h'

      it('names a session like one of our own', async () => {
        const { outcome, id, ref } = await create({ n: 1 }, { id: FOREIGN })
        await save(ref, { more: true })

        expect({ outcome, id }).toEqual({ outcome: 'done', id: FOREIGN })
        expect((await found(FOREIGN)).ref).toEqual(ref)
        expect(await valuesOf(FOREIGN, read)).toEqual({ n: 1, more: true })
        expect(await load(`${FOREIGN}x`)).toEqual({ state: 'none', why: 'unknown' })
      })

      it.each(['1', 'A'.repeat(48), '/../\u0000 "é', 'x'.repeat(256)])('can be %j', async (id) => {
        await create({ n: 1 }, { id })
        expect(await valuesOf(id, read)).toEqual({ n: 1 })
      })

      it.each(['', 'x'.repeat(257)])('cannot be %j', async (id) => {
        await expect(attempt(() => write.create(delta({}), { ...LIVES, id }))).rejects.toBeInstanceOf(TypeError)
        expect(await load(id)).toEqual({ state: 'none', why: 'unknown' })
      })

      it('names the session that has it, however often it is given', async () => {
        const first = await create({ n: 1 }, { id: FOREIGN })

        const again = await read.create(delta({ n: 2 }), { ...LIVES, id: FOREIGN })
        await tested.settle()

        expect(again).toMatchObject({ outcome: 'gone', id: FOREIGN, ref: first.ref })
        expect(await valuesOf(FOREIGN)).toEqual({ n: 1 })
        expect(read.size().sessions).toBe(1)
      })

      it.each([FOREIGN, 'A'.repeat(48)])('is known to be over for a while, on every view: %s', async (id) => {
        const { ref } = await create({ n: 1 }, { id })
        await write.destroy(ref, 'destroyed', {})
        await tested.settle()
        expect(await load(id, read)).toEqual({ state: 'none', why: 'gone' })
        expect(await load(id, write)).toEqual({ state: 'none', why: 'gone' })
      })

      it('can name another session afterwards, which has nothing of the first', async () => {
        const first = await create({ user: 'ada' }, { id: FOREIGN })
        await write.destroy(first.ref, 'destroyed', {})
        await tested.settle()

        const second = await read.create(delta({ cart: 1 }), { ...LIVES, id: FOREIGN })
        await tested.settle()

        expect(second.outcome).toBe('done')
        expect(await save(first.ref, { late: true })).toBe('gone')
        expect(await valuesOf(FOREIGN, write)).toEqual({ cart: 1 })
        expect(await valuesOf(FOREIGN, read)).toEqual({ cart: 1 })
      })
    })

    describe('the end', () => {
      it('is final: nothing finds, saves, touches or revives a destroyed session', async () => {
        const { id, ref } = await create({ user: 'ada' })
        expect(await write.destroy(ref, 'destroyed', {})).toMatchObject({ outcome: 'done' })
        await tested.settle()

        expect(await load(id, read)).toMatchObject({ state: 'none' })
        expect(await load(id, write)).toMatchObject({ state: 'none' })
        expect(await save(ref, { late: true }, write)).toBe('gone')
        expect(await save(ref, { late: true }, read)).toBe('gone')
        write.touch(ref, tested.now())
        read.touch(ref, tested.now())
        expect(await write.destroy(ref, 'destroyed', {})).toMatchObject({ outcome: 'gone' })
        expect(await load(id)).toMatchObject({ state: 'none' })
        expect(read.size().sessions).toBe(0)
      })

      it('leaves other sessions alone', async () => {
        const a = await create({ n: 1 })
        const b = await create({ n: 2 })
        await write.destroy(a.ref, 'logged-out', {})
        await tested.settle()
        expect(await valuesOf(b.id)).toEqual({ n: 2 })
      })
    })

    describe('time', () => {
      it('ends a session that nobody used for its idle lifetime', async ({ skip }) => {
        const advance = tested.advance ?? skip('runs by the real clock')
        const { id, ref } = await create({ n: 1 }, { maxIdleMs: 10 * MINUTE })

        await advance(10 * MINUTE - 2_000)
        expect(await load(id)).toMatchObject({ state: 'found' })
        expect(await read.read(ref)).toBeDefined()
        await advance(3_000)
        expect(await read.read(ref)).toBeUndefined()

        expect(await load(id)).toMatchObject({ state: 'none' })
        expect(await save(ref, { late: true })).toBe('gone')
      })

      it('starts anew with a touch and with a save', async ({ skip }) => {
        const advance = tested.advance ?? skip('runs by the real clock')
        const { id, ref } = await create({ n: 1 }, { maxIdleMs: 10 * MINUTE })

        await advance(6 * MINUTE)
        write.touch(ref, tested.now())
        await tested.settle()
        await advance(6 * MINUTE)
        expect(await load(id)).toMatchObject({ state: 'found' })
        await save(ref, { n: 2 })
        await advance(6 * MINUTE)

        expect(await valuesOf(id)).toEqual({ n: 2 })
      })

      it('ends a session at its absolute lifetime, however busy', async ({ skip }) => {
        const advance = tested.advance ?? skip('runs by the real clock')
        const { id, ref } = await create({}, { maxIdleMs: 10 * MINUTE, maxLifeMs: 20 * MINUTE })
        for (let i = 0; i < 4; i++) {
          await advance(5 * MINUTE - 3_000)
          await save(ref, { i })
        }
        expect(await load(id)).toMatchObject({ state: 'found' })

        await advance(15_000)

        expect(await load(id)).toMatchObject({ state: 'none' })
      })

      it('never ends a session whose lifetimes are infinite', async ({ skip }) => {
        const advance = tested.advance ?? skip('runs by the real clock')
        const { id } = await create({ n: 1 }, { maxIdleMs: Infinity, maxLifeMs: Infinity })
        await advance(400 * 24 * 60 * MINUTE)
        const { session } = await found(id)
        expect(session).toMatchObject({ maxIdleMs: Infinity, maxLifeMs: Infinity })
      })

      it('counts by the idle lifetime that was saved last', async ({ skip }) => {
        const advance = tested.advance ?? skip('runs by the real clock')
        const { id, ref } = await create({}, { maxIdleMs: 10 * MINUTE })
        await write.save(ref, { writes: [], maxIdleMs: 60 * MINUTE }, {})
        await tested.settle()
        expect((await found(id)).session.maxIdleMs).toBe(60 * MINUTE)

        await advance(50 * MINUTE)
        expect(await load(id)).toMatchObject({ state: 'found' })
        await write.save(ref, { writes: [], maxIdleMs: MINUTE }, {})
        await tested.settle()
        await advance(MINUTE + 3_000)

        expect(await load(id)).toMatchObject({ state: 'none' })
      })
    })

    describe('principals', () => {
      it('are found and revoked by name, on every view', async ({ skip }) => {
        if (!write.powers.principals) skip('does not know principals')
        const [a, b, c] = [await create({ n: 1 }), await create({ n: 2 }), await create({ n: 3 })]
        for (const { ref } of [a, b]) await write.rotate(ref, { writes: [], principal: 'ada' }, {})
        await write.save(c.ref, { writes: [], principal: 'bob' }, {})
        await tested.settle()
        expect(await refsOf(read.find('ada'))).toEqual(sorted([a.ref, b.ref]))
        expect(await refsOf(read.find('nobody'))).toEqual([])

        expect(await write.revoke('ada', {})).toMatchObject({ sessions: 2 })
        await tested.settle()

        expect(await refsOf(read.find('ada'))).toEqual([])
        expect(await save(a.ref, { late: true }, read)).toBe('gone')
        expect(await valuesOf(c.id)).toEqual({ n: 3 })
        expect((await found(c.id)).session.principal).toBe('bob')
      })

      it('can be taken away, and used again after a revocation', async ({ skip }) => {
        if (!write.powers.principals) skip('does not know principals')
        const a = await create()
        await write.save(a.ref, { writes: [], principal: 'ada' }, {})
        await write.save(a.ref, { writes: [], principal: null }, {})
        await tested.settle()
        expect(await refsOf(read.find('ada'))).toEqual([])
        await write.revoke('ada', {})

        const b = await write.create({ writes: [], principal: 'ada' }, LIVES)
        await tested.settle()

        expect(await refsOf(read.find('ada'))).toEqual([b.ref])
        expect(await load(a.id)).toMatchObject({ state: 'found' })
      })

      it('have had a session since they took it, whichever was made first', async ({ skip }) => {
        if (!write.powers.principals) skip('does not know principals')
        const [older, newer] = [await write.create(delta({}), LIVES), await write.create(delta({}), LIVES)]
        expect(await write.read(older.ref)).toMatchObject({ principal: undefined })
        expect((await write.read(older.ref))?.principalSince).toBeUndefined()

        for (const { ref } of [newer, older]) await write.save(ref, { writes: [], principal: 'ada' }, {})

        const since = async ({ id }: { readonly id: string }): Promise<number> => (await found(id)).session.principalSince ?? 0
        expect(await since(newer)).toBeGreaterThan(0)
        expect(await since(older)).toBeGreaterThan(await since(newer))
      })

      it('spare a session that lets go of its principal before a revocation and takes it again after it', async ({ skip }) => {
        if (!write.powers.principals) skip('does not know principals')
        const [a, b] = [await create({ n: 1 }), await create({ n: 2 })]
        for (const { ref } of [a, b]) await write.save(ref, { writes: [], principal: 'ada' }, {})
        await tested.settle()

        await write.save(a.ref, { writes: [], principal: null }, {})
        expect(await write.revoke('ada', {})).toMatchObject({ sessions: 1 })
        await write.save(a.ref, { writes: [], principal: 'ada' }, {})
        await tested.settle()

        expect(await refsOf(read.find('ada'))).toEqual([a.ref])
        expect(await load(a.id)).toMatchObject({ state: 'found' })
        expect(await load(b.id)).toMatchObject({ state: 'none' })
      })
    })

    it('tells of what happens to a session, in order', async ({ skip }) => {
      if (write.powers.events === false) skip('has no events')
      const events: SessionEvent[] = []
      const stop = write.subscribe((event) => events.push(event))
      const { ref } = await create({ n: 1 })
      await save(ref, { n: 2 })
      await write.rotate(ref, delta({}), {})
      await write.destroy(ref, 'logged-out', {})
      await tested.settle()
      stop()
      await create()

      const own = events.filter((event) => event.ref.counter === ref.counter && event.ref.actor === ref.actor)
      expect(own.map((event) => event.type)).toEqual(['created', 'changed', 'rotated', 'destroyed'])
      expect(own.at(-1)).toMatchObject({ reason: 'logged-out', local: true })
      expect(events).toHaveLength(4)
    })

    it('has one digest on all views, which says whether content is equal', async () => {
      const empty = await write.digest()
      const { ref } = await create({ n: 1 })
      const one = await write.digest()
      expect(await read.digest()).toBe(one)
      expect(one).not.toBe(empty)

      await save(ref, { n: 2 })
      expect(await read.digest()).toBe(await write.digest())
      expect(await read.digest()).not.toBe(one)
      await write.destroy(ref, 'destroyed', {})
      await tested.settle()

      expect(await read.digest()).toBe(empty)
    })

    describe('moving to another backend', () => {
      const exported = async (from: SessionBackend): Promise<PortableSession[]> => {
        const sessions: PortableSession[] = []
        for await (const session of from.exportAll()) sessions.push(session)
        return sessions
      }

      it('keeps ids, data, principals and lifetimes, and can be repeated', async () => {
        const a = await create({ user: 'ada', gone: 1 }, { maxIdleMs: 7 * MINUTE, maxLifeMs: 70 * MINUTE })
        await write.save(a.ref, { writes: delta({ gone: undefined }).writes, principal: 'ada' }, {})
        const b = await create({ user: 'bob' })
        const rotated = await write.rotate(b.ref, delta({}), {})
        await tested.settle()
        const target = await tested.fresh()

        const sessions = await exported(read)
        for (const session of sessions) expect(await target.importOne(session)).toBe('imported')
        for (const session of sessions) expect(await target.importOne(session)).toBe('known')

        expect(sessions).toHaveLength(2)
        expect(await valuesOf(a.id, target)).toEqual({ user: 'ada' })
        expect((await found(a.id, target)).session).toMatchObject({
          maxIdleMs: 7 * MINUTE,
          maxLifeMs: 70 * MINUTE,
          principal: 'ada',
        })
        expect(await valuesOf(rotated.id ?? '', target)).toEqual({ user: 'bob' })
        expect(await load(b.id, target)).toMatchObject({ state: 'none' })
        expect(await target.digest()).toBe(await read.digest())
      })

      it('exports one session by its ref, the same as in the walk over all, as long as it lives', async () => {
        await create({ n: 0 })
        const { ref } = await create({ n: 1 })
        await save(ref, { n: 2 })

        expect(await read.exportOne(ref)).toEqual((await exported(read)).find((one) => one.birth.counter === ref.counter))

        await write.destroy(ref, 'destroyed', {})
        await tested.settle()
        expect(await read.exportOne(ref)).toBeUndefined()
        expect(await read.exportOne({ actor: ref.actor, counter: ref.counter + 1_000 })).toBeUndefined()
      })

      it('goes on where an interrupted walk stopped', async () => {
        for (let n = 0; n < 5; n++) await create({ n })
        const all = (await exported(read)).map(({ birth }) => birthText(birth))

        const rest: string[] = []
        for await (const { birth } of read.exportAll(all[1])) rest.push(birthText(birth))

        expect(rest).toEqual(all.slice(2))
      })

      it('never brings back a session that ended there', async () => {
        const { id, ref } = await create({ n: 1 })
        const [session] = await exported(read)
        if (session === undefined) throw new Error('nothing exported')
        const target = await tested.fresh()
        await target.importOne(session)
        await target.destroy(ref, 'destroyed', {})
        await write.destroy(ref, 'destroyed', {})
        await tested.settle()

        expect(await target.importOne(session)).toBe('dead')
        expect(await read.importOne(session)).toBe('dead')

        expect(await load(id, target)).toMatchObject({ state: 'none' })
        expect(await load(id, read)).toMatchObject({ state: 'none' })
      })

      it('never replaces what was written since by what was exported before', async () => {
        const { id, ref } = await create({ n: 1, gone: true })
        const [old] = await exported(read)
        await save(ref, { n: 2, gone: undefined })
        const [later] = await exported(read)
        if (old === undefined || later === undefined) throw new Error('nothing exported')
        const target = await tested.fresh()

        expect(await target.importOne(later)).toBe('imported')
        expect(await target.importOne(old)).toBe('known')

        expect(await valuesOf(id, target)).toEqual({ n: 2 })
      })
    })

    it('merges what both backends wrote since a session moved, the later write of each attribute', async () => {
      const { id, ref } = await create({ here: 1, there: 1 })
      const target = await tested.fresh()
      const move = async (): Promise<void> => {
        for await (const session of read.exportAll()) await target.importOne(session)
      }
      await move()
      await target.save(ref, delta({ there: 2 }), {})

      await save(ref, { here: 2 })
      await move()

      expect(await valuesOf(id, target)).toEqual({ here: 2, there: 2 })
    })

    it('refuses a session beyond its limit and keeps the live ones', async () => {
      const small = await open({ sessions: 3 })
      try {
        const ids: string[] = []
        for (let i = 0; i < 3; i++) ids.push((await small.write.create(delta({ i }), LIVES)).id)
        await small.settle()

        const refused = attempt(() => small.write.create(delta({}), LIVES))

        await expect(refused).rejects.toBeInstanceOf(LimitError)
        await expect(refused).rejects.toMatchObject({ status: 503 })
        for (const id of ids) expect(await load(id, small.write)).toMatchObject({ state: 'found' })
      } finally {
        await small.close()
      }
    })

    it('is ready, says so, and closes twice', async () => {
      await read.ready()
      expect(read.health()).toMatchObject({ ready: true })
      await read.close()
      await read.close()
      expect(read.health().ready).toBe(false)
    })
  })
}

/** `undefined` removes. */
function delta(values: Readonly<Record<string, unknown>>): SessionDelta {
  const writes = Object.entries(values).map(([name, value]) => ({
    name,
    kind: 0,
    value: value === undefined ? null : encodeValue(value, name),
  }))
  return { writes }
}

function decoded(bytes: Uint8Array | undefined): unknown {
  const value = bytes === undefined ? undefined : decodeValue(bytes)
  return value?.ok === true ? value.value : undefined
}

/** The same whether it throws or rejects. */
async function attempt<T>(act: () => Answer<T>): Promise<T> {
  return await act()
}

async function refsOf(refs: Answer<readonly SessionRef[]>): Promise<readonly SessionRef[]> {
  return sorted(await refs)
}

function sorted(refs: readonly SessionRef[]): readonly SessionRef[] {
  return refs
    .map(({ actor, counter }) => ({ actor, counter }))
    .sort((a, b) => a.actor - b.actor || a.counter - b.counter)
}
