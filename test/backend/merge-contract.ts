import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PortableSession, SessionBackend } from '../../src/backend/backend.js'
import { AttributeError } from '../../src/errors.js'
import { encodeAlteration, encodeElements } from '../../src/session/merge-value.js'
import { RegisterKind, type AttributeWrite, type SessionRef } from '../../src/session/session.js'
import { decodeValue, encodeValue } from '../../src/session/value.js'
import type { BackendUnderTest } from './contract.js'

const LIVES = { maxIdleMs: 1_800_000, maxLifeMs: Infinity }

export const add = (name: string, difference: number): AttributeWrite => {
  return { name, kind: RegisterKind.counter, value: encodeValue(difference, name) }
}

const raise = (name: string, value: number): AttributeWrite => {
  return { name, kind: RegisterKind.max, value: encodeValue(value, name) }
}

const alter = (name: string, added: readonly unknown[], removed: readonly unknown[] = []): AttributeWrite => {
  const alteration = { add: encodeElements(added, name), remove: encodeElements(removed, name) }
  return { name, kind: RegisterKind.set, value: encodeAlteration(alteration) }
}

const assign = (name: string, value: unknown): AttributeWrite => {
  return { name, kind: RegisterKind.lww, value: encodeValue(value, name) }
}

const remove = (name: string, kind: number): AttributeWrite => ({ name, kind, value: null })

/** What every backend with `powers.merges` promises of attributes that merge, wherever they were written. */
export function mergeContract(name: string, open: () => Promise<BackendUnderTest>): void {
  describe(`${name} merges attributes:`, () => {
    let tested: BackendUnderTest
    let id: string
    let ref: SessionRef

    beforeEach(async () => {
      tested = await open()
      const created = await tested.write.create({ writes: [] }, LIVES)
      id = created.id
      ref = created.ref
      await tested.settle()
    })
    afterEach(async () => {
      await tested.close()
    })

    /** Both views write before either has heard of the other. */
    const atOnce = async (here: readonly AttributeWrite[], there: readonly AttributeWrite[]): Promise<void> => {
      const first = tested.write.save(ref, { writes: here }, {})
      const second = tested.read.save(ref, { writes: there }, {})
      for (const { outcome } of [await first, await second]) expect(outcome).toBe('done')
      await tested.settle()
    }

    const save = async (...writes: AttributeWrite[]): Promise<void> => {
      await tested.write.save(ref, { writes }, {})
      await tested.settle()
    }

    const valuesOn = async (view: SessionBackend): Promise<Record<string, unknown>> => {
      const answer = await view.load(id, undefined, { deadline: tested.now() + 1_000 })
      if (answer.state !== 'found') throw new Error(answer.state)
      const { attributes } = answer.session
      const values: Record<string, unknown> = {}
      for (const key of attributes.keys()) {
        const bytes = attributes.get(key)
        const decoded = bytes === undefined ? undefined : decodeValue(bytes)
        expect(attributes.has(key)).toBe(true)
        values[key] = decoded?.ok === true ? decoded.value : decoded
      }
      expect(attributes.size).toBe(Object.keys(values).length)
      return values
    }

    /** Both views agree, also on the fingerprint. */
    const values = async (): Promise<Record<string, unknown>> => {
      const here = await valuesOn(tested.write)
      expect(await valuesOn(tested.read)).toEqual(here)
      expect(await tested.read.digest()).toBe(await tested.write.digest())
      return here
    }

    it('says so', () => {
      expect(tested.write.powers.merges).toBe(true)
    })

    describe('a counter', () => {
      it('adds up what both views add at once, from nothing and from something', async () => {
        await atOnce([add('n', 1)], [add('n', 2)])
        expect(await values()).toEqual({ n: 3 })
        await atOnce([add('n', 10), add('m', 0)], [add('n', -1)])
        expect(await values()).toEqual({ n: 12, m: 0 })
      })

      it('adds up exactly when both views add a hundred times', async () => {
        for (let i = 0; i < 100; i++) await atOnce([add('n', 1)], [add('n', 0.5)])
        expect(await values()).toEqual({ n: 150 })
      })

      it('starts from 0 after it was removed', async () => {
        await save(add('n', 7))
        await save(remove('n', RegisterKind.counter))
        expect(await values()).toEqual({})
        await atOnce([add('n', 1)], [add('n', 1)])
        expect(await values()).toEqual({ n: 2 })
      })

      it('refuses what is no number, and writes nothing then', async () => {
        for (const value of ['7', null, Number.NaN, Infinity, 2 ** 60]) {
          const writes = [{ name: 'n', kind: RegisterKind.counter, value: encodeValue(value, 'n') }]
          await expect((async () => await tested.write.save(ref, { writes }, {}))()).rejects.toBeInstanceOf(AttributeError)
        }
        expect(await values()).toEqual({})
      })
    })

    describe('a maximum', () => {
      it('is the greatest that any view wrote, in whatever order', async () => {
        await atOnce([raise('best', 5)], [raise('best', 9)])
        expect(await values()).toEqual({ best: 9 })
        await save(raise('best', 7))
        expect(await values()).toEqual({ best: 9 })
        await atOnce([raise('best', 11)], [raise('best', 11)])
        expect(await values()).toEqual({ best: 11 })
      })

      it('starts anew after it was removed', async () => {
        await save(raise('best', 9))
        await save(remove('best', RegisterKind.max))
        expect(await values()).toEqual({})
        await save(raise('best', -3))
        expect(await values()).toEqual({ best: -3 })
      })
    })

    describe('a set', () => {
      it('has what both views add at once', async () => {
        await atOnce([alter('tags', ['a', 1])], [alter('tags', ['b', { deep: [1] }])])
        expect((await values())['tags']).toEqual(new Set(['a', 'b', 1, { deep: [1] }]))
        expect((await valuesOn(tested.read))['tags']).toBeInstanceOf(Set)
      })

      it('counts an addition and a removal of different elements at once', async () => {
        await save(alter('tags', ['x', 'y']))
        await atOnce([alter('tags', ['z'])], [alter('tags', [], ['y'])])
        expect(await values()).toEqual({ tags: new Set(['x', 'z']) })
      })

      it('lets an element be added again', async () => {
        await save(alter('tags', ['x']))
        await save(alter('tags', [], ['x']))
        expect(await values()).toEqual({ tags: new Set() })
        await save(alter('tags', ['x']))
        expect(await values()).toEqual({ tags: new Set(['x']) })
      })

      it('keeps every one of many elements', async () => {
        const both = Array.from({ length: 50 }, (_, i) => i)
        for (const i of both) await atOnce([alter('tags', [`a${i}`])], [alter('tags', [`b${i}`])])
        expect((await values())['tags']).toEqual(new Set(both.flatMap((i) => [`a${i}`, `b${i}`])))
      })

      it('is empty for a while, and gone once it is removed', async () => {
        await save(alter('tags', []))
        expect(await values()).toEqual({ tags: new Set() })
        await save(remove('tags', RegisterKind.set))
        expect(await values()).toEqual({})
        await atOnce([alter('tags', ['a'])], [alter('tags', ['b'])])
        expect(await values()).toEqual({ tags: new Set(['a', 'b']) })
      })
    })

    describe('of another kind', () => {
      it('a later write replaces, and goes on from what was there where that makes sense', async () => {
        await save(assign('n', 5), assign('best', 8), assign('tags', ['a', 'b']), assign('odd', 'text'))
        await save(add('n', 1), raise('best', 2), alter('tags', ['c'], ['a']), add('odd', 1))
        expect(await values()).toEqual({ n: 6, best: 8, tags: new Set(['b', 'c']), odd: 1 })
        await save(assign('n', 'text'), add('best', 1), raise('tags', 3))
        expect(await values()).toEqual({ n: 'text', best: 9, tags: 3, odd: 1 })
      })

      it('of two at once the later one stays, on all views', async () => {
        await save(add('n', 5))
        await atOnce([raise('n', 1)], [alter('n', ['x'])])
        // 1: the set came first, and nothing of it counts towards a maximum.
        expect([5, 1, new Set(['x'])]).toContainEqual((await values())['n'])
        await atOnce([raise('fresh', 1)], [alter('fresh', ['x'])])
        await values()
      })
    })

    describe('on their way to another backend', () => {
      const exported = async (): Promise<PortableSession> => {
        for await (const session of tested.read.exportAll()) return session
        throw new Error('nothing exported')
      }

      it('keep what merging needs, and can be imported again', async () => {
        await save(add('n', 5), raise('best', 8), alter('tags', ['a', 'b']), add('gone', 1))
        await save(remove('gone', RegisterKind.counter))
        const early = await exported()
        await atOnce([add('n', 1), alter('tags', [], ['a'])], [add('n', 1), raise('best', 9)])
        const late = await exported()
        const target = await tested.fresh()

        expect(await target.importOne(early)).toBe('imported')
        expect(await valuesOn(target)).toEqual({ n: 5, best: 8, tags: new Set(['a', 'b']) })
        expect(await target.importOne(late)).toBe('imported')
        expect(await target.importOne(early)).toBe('known')

        expect(await valuesOn(target)).toEqual({ n: 7, best: 9, tags: new Set(['b']) })
        expect(await target.digest()).toBe(await tested.read.digest())
      })

      it('meet what was written there meanwhile', async () => {
        await save(add('n', 5), alter('tags', ['a', 'b']))
        const early = await exported()
        const target = await tested.fresh()
        await target.importOne(early)
        await target.save(ref, { writes: [add('n', 100), alter('tags', ['t'], ['a'])] }, {})
        await save(add('n', 1), alter('tags', ['c'], ['b']))

        await target.importOne(await exported())

        expect(await valuesOn(target)).toEqual({ n: 106, tags: new Set(['c', 't']) })
      })

      it('without what merging needs are taken as plain values', async () => {
        await save(add('n', 5))
        const session = await exported()
        const registers = session.registers.map(({ name: of, kind, value, hlc, dot }) => ({ name: of, kind, value, hlc, dot }))
        const target = await tested.fresh()

        await target.importOne({ ...session, registers })

        expect(await valuesOn(target)).toEqual({ n: 5 })
        await target.save(ref, { writes: [add('n', 1)] }, {})
        expect(await valuesOn(target)).toEqual({ n: 6 })
      })
    })
  })
}
