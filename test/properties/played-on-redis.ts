/** Backends on a real Redis that sequences of commands are played on. */
import type { Redis } from 'ioredis'
import { expect, vi } from 'vitest'
import type { SessionBackend } from '../../src/backend/backend.js'
import type { SessionRef } from '../../src/session/session.js'
import type { TieredOptions } from '../../src/backend/tiered/tiered.js'
import { LoopbackHub } from '../../src/transport/loopback.js'
import { memory, replicatedNode, tiered, turns } from '../backend/tiered/support.js'
import { agreed, type Opened } from './played-backends.js'
import type { RedisServer } from '../support/redis.js'
import { LeapingClock, Shifted } from '../redis/shifted.js'
import { ageSessions, backendOf, openBackend, space } from '../redis/support.js'

/** Of births that no node makes. */
const MARKER = 1
const NOBODY: SessionRef = { actor: MARKER, counter: 0 }
/** How often a node looks around, and flushes. */
const TICK_MS = 100
/** Sequences side by side, over the same connections. */
const AT_ONCE = 50
const TIMEOUT_MS = 10_000

/** What `npm test` and the faults play sequences on. */
export const REDIS_BACKENDS: Readonly<Record<string, (server: RedisServer) => Promise<Opened>>> = {
  'Redis on three nodes': redisNodes,
  'tiered over Redis, write-behind, on three nodes': (server) => tieredNodes(server, 'write-behind'),
  'tiered over Redis, both, on three nodes': (server) => tieredNodes(server, 'both'),
  'tiered over Redis, near-cache, on three nodes': (server) => tieredNodes(server, 'near-cache'),
}

/** Three nodes. Time passes for single sessions, so that any number of sequences can be played at once. */
async function redisNodes(server: RedisServer): Promise<Opened> {
  const prefix = space()
  const client = server.client()
  const options = { prefix, timeoutMs: TIMEOUT_MS }
  const nodes = await Promise.all([1, 2, 3].map(() => openBackend({ port: server.port }, options)))
  return {
    played: {
      nodes,
      settle: () => Promise.resolve(),
      advance: async (ms, sessions) => {
        await heardBy(nodes)
        await ageSessions(client, prefix, sessions, ms)
      },
      oneViewAtATime: 'always',
      scale: 1_000,
    },
    atOnce: AT_ONCE,
    close: async () => {
      await Promise.all(nodes.map((node) => node.close()))
      client.disconnect()
    },
  }
}

/**
 * Nodes whose clocks are their own: when they are put forward, what Redis holds becomes older. Their intervals are
 * put forward with the clocks, so that a node lives through all of that time.
 */
async function tieredNodes(server: RedisServer, mode: TieredOptions['mode']): Promise<Opened> {
  const prefix = space()
  const client = server.client()
  const clock = new LeapingClock('stands still')
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const hub = new LoopbackHub()
  const addresses = [1, 2, 3].map(() => hub.freeAddress())
  const nears = addresses.map((address) => {
    if (mode === 'near-cache') return memory(clock.now)
    return replicatedNode(hub, address, addresses.filter((other) => other !== address), clock.now)
  })
  const far = (): SessionBackend => backendOf({ port: server.port }, { prefix, timeoutMs: TIMEOUT_MS })
  const fars = nears.map(() => new Shifted(far(), clock))
  const options = { mode, throughMs: TIMEOUT_MS, flushIntervalMs: TICK_MS }
  const nodes = nears.map((near, i) => tiered(near, fars[i] as Shifted, clock as never, options))
  await Promise.all(nodes.map((node) => node.open()))
  // With each look it puts the intervals forward.
  await vi.waitFor(() => expect(nodes.map(isOpen)).not.toContain(false), { timeout: TIMEOUT_MS })
  const told = mode === 'near-cache' ? await toldBy(client, `${prefix}:events`, nodes) : undefined
  return {
    played: {
      nodes,
      settle: async () => {
        vi.advanceTimersByTime(TICK_MS)
        await (told === undefined ? agreed(nears) : told())
      },
      advance: async (ms, sessions) => {
        await Promise.all(nodes.map((node) => node.flush()))
        await heardBy(fars)
        await clock.leap(async (forward) => {
          for (let passed = 0; passed < ms; passed += TICK_MS) {
            forward(TICK_MS)
            vi.advanceTimersByTime(TICK_MS)
            await turns(1)
          }
          await ageSessions(client, prefix, sessions, ms)
        })
      },
      oneViewAtATime: 'to-find',
      scale: 20,
    },
    atOnce: AT_ONCE,
    close: async () => {
      await Promise.all(nodes.map((node) => node.close()))
      client.disconnect()
      vi.useRealTimers()
    },
  }
}

/** Redis has heard all that these sent: who is answered has been heard, with what needed no answer before. */
async function heardBy(backends: readonly SessionBackend[]): Promise<void> {
  await Promise.all(backends.map(async (backend) => await backend.read(NOBODY)))
}

/** Ready, and done with bringing over what Redis held at the start. */
function isOpen(node: SessionBackend): boolean {
  return node.health().ready && node.counters()['session_mesh_far_complete'] !== 0
}

/** What Redis publishes arrives in order: who has heard of the last thing has heard of all before it. */
async function toldBy(
  client: Redis,
  channel: string,
  nodes: readonly SessionBackend[],
): Promise<() => Promise<void>> {
  const heard = nodes.map(() => 0)
  for (const [node, backend] of nodes.entries()) {
    backend.subscribe(({ ref }) => {
      if (ref.actor === MARKER) heard[node] = ref.counter
    })
  }
  await vi.waitFor(async () => {
    expect(await client.pubsub('NUMSUB', channel)).toEqual([channel, nodes.length])
  })
  let markers = 0
  return async () => {
    const marker = ++markers
    await client.publish(channel, `0 created ${MARKER}:${marker}`)
    while (heard.some((last) => last < marker)) await turns(1)
  }
}
