import { afterEach, describe, expect, it } from 'vitest'
import type { SessionBackend } from '../../../src/backend/backend.js'
import { copySessions, migrate } from '../../../src/backend/tiered/copy.js'
import { Migration } from '../../../src/backend/tiered/migration.js'
import { silent } from '../../../src/log.js'
import { Clock, delta, LIVES, load, memory, Remote, replicatedNode, turns, valuesOf } from './support.js'
import { LoopbackHub } from '../../../src/transport/loopback.js'
import { moveUnderLoad } from './moving.js'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()))
})

async function replicated(size: number, clock: Clock): Promise<readonly SessionBackend[]> {
  const hub = new LoopbackHub()
  const addresses = Array.from({ length: size }, () => hub.freeAddress())
  const nodes = addresses.map((address) => replicatedNode(hub, address, addresses.filter((other) => other !== address), clock.now))
  await Promise.all(nodes.map((node) => node.open()))
  await Promise.all(nodes.map((node) => node.ready()))
  closing.push(async () => void (await Promise.all(nodes.map((node) => node.close()))))
  return nodes
}

describe('a migration', () => {
  it('moves live sessions there and back under load: nobody is logged out, and both hold the same', { timeout: 60_000 }, async () => {
    const clock = new Clock()
    const from = await replicated(2, clock)
    const held = memory(clock.now)
    await moveUnderLoad({ from, to: from.map(() => new Remote(held)), now: clock.now, browsers: 50 })
  })

  it('leaves everything as it was when it is cancelled, and refuses steps out of turn', async () => {
    const clock = new Clock()
    const [from, to] = [memory(clock.now), memory(clock.now)]
    const migration = new Migration({ from, to, now: clock.now, log: silent })
    await expect(migration.switchReads()).rejects.toThrow('phase idle')
    await migration.start()
    await expect(migration.finish()).rejects.toThrow('phase from')
    const { id } = await migration.backend.create(delta({ n: 1 }), LIVES)
    expect(await valuesOf(to, id)).toEqual({ n: 1 })

    await migration.cancel()

    expect(migration.backend.current).toBe(from)
    expect(await valuesOf(migration.backend, id)).toEqual({ n: 1 })
  })

  it('does not finish while something waits for the other side', async () => {
    const clock = new Clock()
    const from = new Remote(memory(clock.now))
    const to = memory(clock.now)
    const migration = new Migration({ from, to, now: clock.now, log: silent })
    await migration.start()
    await migration.switchReads()
    from.isDown = true
    expect(await migration.backend.create(delta({}), LIVES)).toMatchObject({ outcome: 'unknown' })
    await expect(migration.finish()).rejects.toThrow('wait to be written')
    expect(migration.phase).toBe('to')
  })
})

describe('copying', () => {
  it('can be paused, stopped and continued where it stopped', async () => {
    const clock = new Clock()
    const [from, to] = [memory(clock.now), memory(clock.now)]
    for (let n = 0; n < 100; n++) from.create(delta({ n }), LIVES)
    let calls = 0

    const first = await copySessions(from, to, { atOnce: 10, onProgress: async () => {
      await turns(2)
      return ++calls < 3
    } })
    expect(first).toMatchObject({ copied: 30, known: 0 })
    expect(to.size().sessions).toBe(30)

    const rest = await copySessions(from, to, { atOnce: 10, ...(first.cursor === undefined ? {} : { cursor: first.cursor }) })
    expect(rest).toMatchObject({ copied: 70, known: 0 })
    expect(to.digest()).toBe(from.digest())
  })

  it('leaves dead what ends while its copy is on the way', async () => {
    const clock = new Clock()
    const from = memory(clock.now)
    const to = memory(clock.now)
    const { id, ref } = from.create(delta({ n: 1 }), LIVES)
    const slow = new Remote(to, () => 3)
    const copying = copySessions(from, slow)
    await turns(2)
    from.destroy(ref, 'logged-out')
    to.destroy(ref, 'logged-out')

    expect(await copying).toMatchObject({ copied: 0, dead: 1 })
    expect(await load(to, id)).toMatchObject({ state: 'none' })
  })

  it('goes on until both are equal, and says where they are not', async () => {
    const clock = new Clock()
    const [from, to] = [memory(clock.now), memory(clock.now)]
    for (let n = 0; n < 20; n++) from.create(delta({ n }), LIVES)
    expect(await migrate(from, to)).toMatchObject({ copied: 20, equal: true })
    to.create(delta({}), LIVES)
    expect(await migrate(from, to)).toMatchObject({ copied: 0, equal: false })
  })
})
