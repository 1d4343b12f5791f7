/** Backends on a real Redis that sequences of commands are played on. */
import { expect, vi } from 'vitest'
import { LoopbackHub } from '../../src/transport/loopback.js'
import { digestsAgree, memory, replicatedNode, tiered, turns } from '../backend/tiered/support.js'
import type { Opened } from '../properties/played-backends.js'
import type { RedisServer } from '../support/redis.js'
import { Shifted } from './shifted.js'
import { ageSessions, backendOf, openBackend, space } from './support.js'

/** Of births that no node makes. */
const MARKER = 1
const TIMEOUT_MS = 10_000

/** Three nodes. Time passes for single sessions, so that any number of sequences can be played at once. */
export async function redisNodes(server: RedisServer): Promise<Opened> {
  const prefix = space()
  const client = server.client()
  const options = { prefix, timeoutMs: TIMEOUT_MS }
  const nodes = await Promise.all([1, 2, 3].map(async () => await openBackend({ port: server.port }, options)))
  return {
    played: {
      nodes,
      settle: () => Promise.resolve(),
      advance: async (ms, sessions) => await ageSessions(client, prefix, sessions, ms),
      oneViewAtATime: true,
      scale: 1_000,
    },
    close: async () => {
      await Promise.all(nodes.map((node) => node.close()))
      client.disconnect()
    },
  }
}

/** Nodes whose clocks are their own: when they are put forward, what Redis holds becomes older. */
export async function tieredNodes(server: RedisServer, mode: 'write-behind' | 'near-cache' | 'both'): Promise<Opened> {
  const prefix = space()
  const client = server.client()
  let ahead = 0
  const clock = { now: () => Date.now() + ahead }
  const hub = new LoopbackHub()
  const addresses = [1, 2, 3].map(() => hub.freeAddress())
  const nears = addresses.map((address) => {
    if (mode === 'near-cache') return memory(clock.now)
    return replicatedNode(hub, address, addresses.filter((other) => other !== address), clock.now)
  })
  const nodes = nears.map((near) => {
    const far = new Shifted(backendOf({ port: server.port }, { prefix, timeoutMs: TIMEOUT_MS }), () => ahead)
    return tiered(near, far, clock as never, { mode, throughMs: TIMEOUT_MS })
  })
  await Promise.all(nodes.map((node) => node.open()))
  await Promise.all(nodes.map((node) => node.ready()))
  const heard = nodes.map(() => 0)
  for (const [node, backend] of nodes.entries()) {
    backend.subscribe(({ ref }) => {
      if (ref.actor === MARKER) heard[node] = ref.counter
    })
  }
  let markers = 0
  /** What Redis publishes arrives in order: who has heard of the last has heard of all. */
  const told = async (): Promise<void> => {
    const marker = ++markers
    await client.publish(`${prefix}:events`, `0 created ${MARKER}:${marker}`)
    while (heard.some((last) => last < marker)) await turns(1)
  }
  await vi.waitFor(async () => expect(await client.pubsub('NUMSUB', `${prefix}:events`)).toEqual([`${prefix}:events`, mode === 'near-cache' ? 3 : 0]))
  return {
    played: {
      nodes,
      settle: mode === 'near-cache' ? told : () => digestsAgree(...nears),
      advance: async (ms, sessions) => {
        await Promise.all(nodes.map((node) => node.flush()))
        // No more at once than news that is on its way may be late: a node believes no clock that is far behind its own.
        for (let passed = 0; passed < ms; passed += 1_200) {
          ahead += Math.min(1_200, ms - passed)
          await turns(10)
        }
        await ageSessions(client, prefix, sessions, ms)
      },
      scale: 3,
    },
    close: async () => {
      await Promise.all(nodes.map((node) => node.close()))
      client.disconnect()
    },
  }
}
