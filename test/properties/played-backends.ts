/** Backends in process that sequences of commands are played on, all of them by one clock that stands still. */
import { expect, vi } from 'vitest'
import type { SessionBackend } from '../../src/backend/backend.js'
import { LoopbackHub } from '../../src/transport/loopback.js'
import { memory, Remote, replicatedNode, START, tiered, turns } from '../backend/tiered/support.js'
import type { Played } from './plain-model.js'

const AGREED_WITHIN_TURNS = 50_000

/** Time that stands still until it is moved. */
class StillClock {
  #ahead = 0
  readonly now = (): number => START + this.#ahead
  readonly advance = (ms: number): void => void (this.#ahead += ms)
}

export interface Opened {
  readonly played: Played
  /** Sequences side by side: the nodes settle once for all of them. */
  readonly atOnce: number
  readonly close: () => Promise<void>
}

async function opened(nodes: readonly SessionBackend[], clock: StillClock): Promise<readonly SessionBackend[]> {
  await Promise.all(nodes.map((node) => node.open()))
  await vi.waitFor(() => {
    clock.advance(50)
    expect(nodes.every((node) => node.health().ready)).toBe(true)
  }, { timeout: 10_000 })
  return nodes
}

function replicas(clock: StillClock): readonly SessionBackend[] {
  const hub = new LoopbackHub()
  const addresses = [1, 2, 3].map(() => hub.freeAddress())
  return addresses.map((address) => replicatedNode(hub, address, addresses.filter((other) => other !== address), clock.now))
}

/** Resolves when what one node knows has reached all: how many turns of the event loop that takes is the machine's business. */
export async function agreed(nodes: readonly SessionBackend[]): Promise<void> {
  for (let turn = 0; turn < AGREED_WITHIN_TURNS; turn += 5) {
    await turns(5)
    const digests = await Promise.all(nodes.map(async (node) => await node.digest()))
    if (digests.every((digest) => digest === digests[0])) return
  }
  throw new Error('the nodes do not agree')
}

function openedOver(nodes: readonly SessionBackend[], { settle, advance }: Pick<Played, 'settle' | 'advance'>, atOnce = 25): Opened {
  const close = async (): Promise<void> => void (await Promise.all(nodes.map((node) => node.close())))
  return { played: { nodes, settle, advance }, atOnce, close }
}

export const BACKENDS: Readonly<Record<string, () => Promise<Opened>>> = {
  memory: async () => {
    const clock = new StillClock()
    const nodes = await opened([memory(clock.now)], clock)
    return openedOver(nodes, { settle: () => Promise.resolve(), advance: clock.advance }, 1)
  },
  'replicated on three nodes': async () => {
    const clock = new StillClock()
    const nodes = await opened(replicas(clock), clock)
    return openedOver(nodes, { settle: () => agreed(nodes), advance: clock.advance })
  },
  'tiered, write-behind, on three nodes': async () => {
    const clock = new StillClock()
    const held = memory(clock.now)
    const nears = replicas(clock)
    const nodes = await opened(nears.map((near) => tiered(near, new Remote(held), clock as never)), clock)
    return openedOver(nodes, { settle: () => agreed(nears), advance: clock.advance })
  },
  'tiered, both, on three nodes': async () => {
    const clock = new StillClock()
    const held = memory(clock.now)
    const nears = replicas(clock)
    const nodes = await opened(nears.map((near) => tiered(near, new Remote(held), clock as never, { mode: 'both' })), clock)
    return openedOver(nodes, { settle: () => agreed(nears), advance: clock.advance })
  },
  'tiered, near-cache, on three nodes': async () => {
    const clock = new StillClock()
    const held = memory(clock.now)
    const node = (): SessionBackend => tiered(memory(clock.now), new Remote(held), clock as never, { mode: 'near-cache' })
    const nodes = await opened([node(), node(), node()], clock)
    return openedOver(nodes, { settle: () => turns(2), advance: clock.advance })
  },
}
