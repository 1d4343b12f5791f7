import { expect, vi } from 'vitest'
import type { SessionBackend } from '../../../src/backend/backend.js'
import { backendContract, type BackendUnderTest, type ContractOptions } from '../contract.js'
import { mergeContract } from '../merge-contract.js'
import { Clock, memory, Remote, tiered, tieredNodes, turns, type Extra } from './support.js'

/** One process: memory before a far backend. */
async function single({ sessions }: ContractOptions = {}): Promise<BackendUnderTest> {
  const clock = new Clock()
  const opened: SessionBackend[] = []
  const open = async (): Promise<SessionBackend> => {
    const backend = tiered(memory(clock.now, sessions), new Remote(memory(clock.now)), clock)
    opened.push(backend)
    await backend.open()
    await backend.ready()
    return backend
  }
  const backend = await open()
  return {
    write: backend,
    read: backend,
    now: clock.now,
    advance: (ms) => clock.advance(ms),
    settle: () => Promise.resolve(),
    fresh: open,
    close: async () => void (await Promise.all(opened.map((each) => each.close()))),
  }
}

async function cluster({ sessions }: ContractOptions = {}, extra: Extra = {}): Promise<BackendUnderTest> {
  const clock = new Clock()
  const inner = memory(clock.now)
  const { tiers, close } = await tieredNodes(3, () => new Remote(inner), clock, extra, sessions)
  const lone: SessionBackend[] = []
  const [write] = tiers
  const read = tiers.at(-1)
  if (write === undefined || read === undefined) throw new Error('no nodes')
  return {
    write,
    read,
    now: clock.now,
    advance: async (ms) => {
      clock.advance(ms)
      for (const tier of tiers) tier.touch({ actor: 1, counter: 1 }, clock.now())
      await vi.waitFor(() => expect(tiers.every((tier) => tier.health().ready)).toBe(true), { interval: 5 })
    },
    settle: () => turns(6),
    fresh: async () => {
      const { tiers: [only] } = await tieredNodes(1, () => new Remote(memory(clock.now)), clock)
      if (only === undefined) throw new Error('no node')
      lone.push(only)
      return only
    },
    close: async () => {
      await close()
      await Promise.all(lone.map((each) => each.close()))
    },
  }
}

backendContract('tiered, write-behind, one node,', single)
backendContract('tiered, write-behind, three nodes, write here and read there,', cluster)
backendContract('tiered, both, three nodes, write here and read there,', (limits) => cluster(limits, { mode: 'both' }))

/** Two processes with a memory of their own before one far backend. */
async function cached({ sessions }: ContractOptions = {}): Promise<BackendUnderTest> {
  const clock = new Clock()
  const opened: SessionBackend[] = []
  const open = async (far: SessionBackend): Promise<SessionBackend> => {
    const backend = tiered(memory(clock.now), far, clock, { mode: 'near-cache' })
    opened.push(backend)
    await backend.open()
    await backend.ready()
    return backend
  }
  const far = memory(clock.now, sessions)
  const [write, read] = [await open(new Remote(far)), await open(new Remote(far))]
  return {
    write,
    read,
    now: clock.now,
    advance: (ms) => clock.advance(ms),
    settle: () => turns(2),
    fresh: async () => await open(new Remote(memory(clock.now))),
    close: async () => void (await Promise.all(opened.map((each) => each.close()))),
  }
}

backendContract('tiered, near-cache, two nodes, write here and read there,', cached)

mergeContract('tiered, write-behind, three nodes,', cluster)
mergeContract('tiered, both, three nodes,', () => cluster({}, { mode: 'both' }))
mergeContract('tiered, near-cache, two nodes,', cached)
