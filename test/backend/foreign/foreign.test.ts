import session from 'express-session'
import { expect, it } from 'vitest'
import { ForeignBackend, type ForeignBackendOptions } from '../../../src/backend/foreign/foreign.js'
import type { ForeignStore } from '../../../src/backend/foreign/store-calls.js'
import { backendContract } from '../contract.js'
import { delta, ids, LIVES, load, turns, valuesOf } from '../tiered/support.js'

let actors = 0

function backendOf(options: Partial<ForeignBackendOptions> = {}): ForeignBackend {
  return new ForeignBackend({ store: new session.MemoryStore(), ids, actor: 7_000 + ++actors, now: Date.now, ...options })
}

backendContract("express-session's MemoryStore as a backend", ({ sessions } = {}) => {
  let ahead = 0
  const now = (): number => Date.now() + ahead
  const backend = backendOf({ now, limits: sessions === undefined ? {} : { sessions } })
  return Promise.resolve({
    write: backend,
    read: backend,
    now,
    settle: () => turns(6),
    advance: (ms) => void (ahead += ms),
    fresh: () => Promise.resolve(backendOf({ now })),
    close: () => backend.close(),
  })
})

it('two processes over one store serve the same sessions', async () => {
  const store = new session.MemoryStore()
  const [a, b] = [backendOf({ store }), backendOf({ store })]
  const { id, ref } = await a.create(delta({ n: 1 }), LIVES)
  expect(await valuesOf(b, id)).toEqual({ n: 1 })
  expect(await b.save(ref, delta({ m: 2 }))).toEqual({ outcome: 'done' })
  expect(await valuesOf(a, id)).toEqual({ n: 1, m: 2 })
  await b.destroy(ref, 'logged-out')
  expect(await load(a, id)).toMatchObject({ state: 'none' })
})

it('what JSON cannot say comes back as it was', async () => {
  const backend = backendOf()
  const values = { when: new Date(5), tags: new Set(['a']), big: 5n, bytes: new Uint8Array([1, 2]) }
  const { id } = await backend.create(delta(values), LIVES)
  expect(await valuesOf(backend, id)).toMatchObject({ when: new Date(5), tags: new Set(['a']), big: 5n })
})

it('sessions of express-session are taken over when their browsers come, and stay under their ids', async () => {
  const store = new session.MemoryStore()
  const backend = backendOf({ store, adopt: true })
  const record = { cookie: { originalMaxAge: 60_000, path: '/' }, passport: { user: 7 } }
  await new Promise<void>((resolve) => store.set('old-id', record, () => resolve()))

  expect(await valuesOf(backend, 'old-id')).toEqual(record)
  const found = await load(backend, 'old-id')
  expect(found.state === 'found' && found.session.maxIdleMs).toBe(60_000)
  if (found.state === 'found') await backend.destroy(found.ref, 'logged-out')

  expect(await load(backend, 'old-id')).toMatchObject({ state: 'none' })
  expect(await load(backendOf({ store }), 'old-id')).toMatchObject({ state: 'none' })
})

it('a store that hangs or fails is an error in time, and one without a list says so', async () => {
  const hanging: ForeignStore = { get: () => {}, set: () => {}, destroy: () => {} }
  await expect(load(backendOf({ store: hanging, timeoutMs: 20 }), 'x')).rejects.toMatchObject({ status: 503 })
  const failing: ForeignStore = { ...hanging, get: (_id, done) => done(new Error('down')) }
  await expect(load(backendOf({ store: failing }), 'x')).rejects.toMatchObject({ status: 503 })
  await expect(backendOf({ store: hanging }).digest()).rejects.toThrow('no all()')
})

it('knows no principals, and says so beforehand', () => {
  const backend = backendOf()
  expect(backend.powers).toMatchObject({ principals: false, stamps: false, merges: false })
  expect(() => backend.find()).toThrow('no principals')
})
