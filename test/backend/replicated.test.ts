import { randomBytes } from 'node:crypto'
import { expect, vi } from 'vitest'
import type { SessionBackend } from '../../src/backend/backend.js'
import { ReplicatedBackend } from '../../src/backend/replicated/replicated.js'
import { SeenSealer } from '../../src/backend/replicated/seen.js'
import { silent } from '../../src/log.js'
import { IdCodec } from '../../src/session/id.js'
import type { NodeId } from '../../src/session/session.js'
import { LoopbackHub, LoopbackTransport } from '../../src/transport/loopback.js'
import { backendContract, type BackendUnderTest, type ContractOptions } from './contract.js'
import { mergeContract } from './merge-contract.js'

const SECRETS = ['0123456789abcdef0123456789abcdef']
const START = Date.UTC(2026, 0, 1)
const ids = new IdCodec(SECRETS, randomBytes)
const seals = new SeenSealer(SECRETS)

/** Time that runs, and that a test can put forward. */
class Clock {
  #ahead = 0
  readonly #from = performance.now()
  readonly now = (): number => START + Math.floor(performance.now() - this.#from) + this.#ahead

  advance(ms: number): void {
    this.#ahead += ms
  }
}

let nodes = 0

function node(hub: LoopbackHub, address: string, peers: readonly string[], clock: Clock, limits?: ContractOptions): ReplicatedBackend {
  const actor = 1_000 + ++nodes
  const name = `node-${actor}` as NodeId
  const hello = { cluster: 'contract', node: name, actor, startedAt: clock.now(), settings: {} }
  const transport = new LoopbackTransport({ hub, hello, address, peers, now: clock.now, randomBytes, log: silent })
  return new ReplicatedBackend({
    node: name,
    actor,
    startedAt: clock.now(),
    transport,
    peers,
    ids,
    seals,
    now: clock.now,
    log: silent,
    ...(limits?.sessions === undefined ? {} : { limits: { sessions: limits.sessions } }),
  })
}

async function cluster(size: number, limits?: ContractOptions): Promise<BackendUnderTest> {
  const clock = new Clock()
  const hub = new LoopbackHub()
  const addresses = Array.from({ length: size }, () => hub.freeAddress())
  const backends: SessionBackend[] = addresses.map((address) =>
    node(hub, address, addresses.filter((other) => other !== address), clock, limits),
  )
  await Promise.all(backends.map((backend) => backend.open()))
  await Promise.all(backends.map((backend) => backend.ready()))
  return {
    write: backends[0] as SessionBackend,
    read: backends.at(-1) as SessionBackend,
    now: clock.now,
    // A node whose clock jumped serves again when its peers have confirmed the time.
    advance: async (ms) => {
      clock.advance(ms)
      for (const backend of backends) backend.touch({ actor: 1, counter: 1 }, clock.now())
      await vi.waitFor(() => expect(backends.every((backend) => backend.health().ready)).toBe(true), { interval: 5 })
    },
    // What was sent in this turn of the event loop has arrived after a few more.
    settle: async () => {
      for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve))
    },
    fresh: async () => {
      const lone = node(new LoopbackHub(), '127.0.0.1:1', [], clock)
      backends.push(lone)
      await lone.open()
      await lone.ready()
      return lone
    },
    close: async () => void (await Promise.all(backends.map((backend) => backend.close()))),
  }
}

backendContract('replicated, one node,', (limits) => cluster(1, limits))
backendContract('replicated, three nodes, write here and read there,', (limits) => cluster(3, limits))
mergeContract('replicated, one node,', () => cluster(1))
mergeContract('replicated, three nodes,', () => cluster(3))
