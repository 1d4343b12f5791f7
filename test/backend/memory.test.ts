import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { MemoryBackend } from '../../src/backend/memory/memory.js'
import { IdCodec } from '../../src/session/id.js'
import type { SessionDelta } from '../../src/session/session.js'
import { decodeValue, encodeValue } from '../../src/session/value.js'
import { backendContract, type BackendUnderTest, type ContractOptions } from './contract.js'
import { mergeContract } from './merge-contract.js'

const START = Date.UTC(2026, 0, 1)
const LIVES = { maxIdleMs: 60_000, maxLifeMs: Infinity }
const ids = new IdCodec(['0123456789abcdef0123456789abcdef'], randomBytes)

const openMemory = async (limits?: ContractOptions): Promise<BackendUnderTest> => {
  let time = START
  const opened: MemoryBackend[] = []
  const open = async (): Promise<MemoryBackend> => {
    const backend = new MemoryBackend({ ids, now: () => time, limits: limits ?? {} })
    opened.push(backend)
    await backend.open()
    return backend
  }
  const backend = await open()
  return {
    write: backend,
    read: backend,
    now: () => time,
    settle: () => Promise.resolve(),
    advance: (ms) => void (time += ms),
    fresh: open,
    close: async () => void (await Promise.all(opened.map((each) => each.close()))),
  }
}

backendContract('the memory backend', openMemory)
mergeContract('the memory backend', openMemory)

it('expired sessions leave memory without anybody asking for them, a slice at a time', () => {
  let time = START
  const backend = new MemoryBackend({ ids, now: () => time })
  for (let i = 0; i < 1_000; i++) backend.create({ writes: [] }, LIVES)
  time += 60_000
  const { ref } = backend.create({ writes: [] }, LIVES)

  backend.sweep(400)
  expect(backend.size().sessions).toBe(601)
  for (let i = 0; i < 4; i++) backend.sweep(400)

  expect(backend.size().sessions).toBe(1)
  expect(backend.counters()['session_mesh_sessions_expired_total']).toBe(1_000)
  expect(backend.save(ref, { writes: [] })).toMatchObject({ outcome: 'done' })
})

it('expired sessions make room for new ones', () => {
  let time = START
  const backend = new MemoryBackend({ ids, now: () => time, limits: { sessions: 2 } })
  backend.create({ writes: [] }, LIVES)
  backend.create({ writes: [] }, LIVES)
  time += 60_000
  expect(backend.create({ writes: [] }, LIVES).outcome).toBe('done')
  expect(backend.size().sessions).toBe(1)
})

it('an old id is told apart from one that never was, for 30 seconds', () => {
  let time = START
  const backend = new MemoryBackend({ ids, now: () => time })
  const a = backend.create({ writes: [] }, LIVES)
  const b = backend.create({ writes: [] }, LIVES)
  backend.rotate(a.ref, { writes: [] })
  backend.destroy(b.ref, 'destroyed')
  expect(backend.load(a.id)).toEqual({ state: 'none', why: 'rotated' })
  expect(backend.load(b.id)).toEqual({ state: 'none', why: 'gone' })

  time += 30_001
  backend.sweep()

  expect(backend.load(a.id)).toEqual({ state: 'none', why: 'unknown' })
  expect(backend.load(b.id)).toEqual({ state: 'none', why: 'unknown' })
})

it('names of removed attributes do not pile up', () => {
  const backend = new MemoryBackend({ ids, now: () => START })
  const { ref, id } = backend.create({ writes: [] }, LIVES)
  const value = encodeValue(1, 'x')
  for (let i = 0; i < 3_000; i++) {
    backend.save(ref, { writes: [{ name: `n${i}`, kind: 0, value }] })
    backend.save(ref, { writes: [{ name: `n${i}`, kind: 0, value: null }] })
  }
  backend.save(ref, { writes: [{ name: 'kept', kind: 0, value }] })

  const found = backend.load(id)

  expect(found.state === 'found' && [...found.session.attributes.keys()]).toEqual(['kept'])
  return exportedRegisters(backend).then((registers) => expect(registers).toBeLessThan(1_100))
})

it('an interrupted export goes on where it stopped', async () => {
  const backend = new MemoryBackend({ ids, now: () => START, actor: 7 })
  for (let i = 0; i < 5; i++) backend.create({ writes: [] }, LIVES)
  const seen: number[] = []
  for await (const { birth } of backend.exportAll()) {
    seen.push(birth.counter)
    if (seen.length === 2) break
  }
  for await (const { birth } of backend.exportAll('7:2')) seen.push(birth.counter)
  expect(seen).toEqual([1, 2, 3, 4, 5])
})

it('importing a session of a principal that was revoked since does not bring it back', async () => {
  const source = new MemoryBackend({ ids, now: () => START })
  const target = new MemoryBackend({ ids, now: () => START + 1 })
  source.create({ writes: [], principal: 'ada' }, LIVES)
  target.revoke('ada', {})
  for await (const session of source.exportAll()) expect(target.importOne(session)).toBe('dead')
  expect(target.size().sessions).toBe(0)
})

it('a session that expired here is taken in again where it was used elsewhere since, and not where it was not', () => {
  let time = START
  const source = new MemoryBackend({ ids, now: () => time })
  const target = new MemoryBackend({ ids, now: () => time })
  const { ref, id } = source.create({ writes: [] }, LIVES)
  const old = source.exportOne(ref)
  if (old === undefined) throw new Error('not exported')
  target.importOne(old)
  time += 40_000
  source.touch(ref, time)
  time += 40_000
  expect(target.load(id)).toMatchObject({ state: 'none', why: 'gone' })

  expect(target.importOne(old)).toBe('dead')
  const used = source.exportOne(ref)
  expect(used === undefined ? 'over' : target.importOne(used)).toBe('imported')
  expect(target.load(id)).toMatchObject({ state: 'found' })
})

async function exportedRegisters(backend: MemoryBackend): Promise<number> {
  for await (const { registers } of backend.exportAll()) return registers.length
  return 0
}

it('a record that was handed out stays as it was, whatever is written later and to however many it was handed', () => {
  const backend = new MemoryBackend({ ids, now: () => START })
  const writeOf = (name: string, text: string | null): SessionDelta => {
    return { writes: [{ name, kind: 0, value: text === null ? null : encodeValue(text, name) }] }
  }
  const { ref } = backend.create(writeOf('a', 'first'), LIVES)
  const [one, same] = [backend.read(ref), backend.read(ref)]
  backend.save(ref, writeOf('a', 'second'))
  const two = backend.read(ref)
  backend.save(ref, writeOf('b', 'new'))
  backend.save(ref, writeOf('a', null))

  const shown = [one, same, two, backend.read(ref)].map((record) => {
    const attributes = record?.attributes
    return Array.from(attributes?.keys() ?? [], (name) => {
      const value = decodeValue(attributes?.get(name) ?? new Uint8Array())
      return `${name}: ${value.ok ? String(value.value) : 'undecodable'}`
    })
  })

  expect(shown).toEqual([['a: first'], ['a: first'], ['a: second'], ['b: new']])
})
