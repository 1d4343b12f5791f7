import { randomBytes } from 'node:crypto'
import { expect, onTestFinished, vi } from 'vitest'
import type { SessionBackend } from '../../../src/backend/backend.js'
import { MemoryBackend } from '../../../src/backend/memory/memory.js'
import { ReplicatedBackend } from '../../../src/backend/replicated/replicated.js'
import { SeenSealer } from '../../../src/backend/replicated/seen.js'
import { silent } from '../../../src/log.js'
import { IdCodec } from '../../../src/session/id.js'
import type { NodeId } from '../../../src/session/session.js'
import { LoopbackHub, LoopbackTransport } from '../../../src/transport/loopback.js'

const SECRETS = ['0123456789abcdef0123456789abcdef']
const ids = new IdCodec(SECRETS, randomBytes)
const seals = new SeenSealer(SECRETS)

/** Date.now() itself, because express-session reads no other clock. It runs, and a test can put it forward. */
export class Clock {
  #ahead = 0

  constructor() {
    const from = performance.timeOrigin
    const spy = vi.spyOn(Date, 'now').mockImplementation(() => Math.floor(from + performance.now()) + this.#ahead)
    onTestFinished(() => spy.mockRestore())
  }

  advance(ms: number): void {
    this.#ahead += ms
  }
}

/** One process alone. */
export async function memory(): Promise<SessionBackend> {
  const backend = new MemoryBackend({ ids, now: () => Date.now() })
  await backend.open()
  onTestFinished(async () => await backend.close())
  return backend
}

let actors = 0

/** Nodes that replicate through the codec, in one process; every one is ready. */
export async function replicated(size: number): Promise<readonly SessionBackend[]> {
  const hub = new LoopbackHub()
  const addresses = Array.from({ length: size }, () => hub.freeAddress())
  const nodes = addresses.map((address) => nodeAt(hub, address, addresses))
  await Promise.all(nodes.map((node) => node.open()))
  await Promise.all(nodes.map((node) => node.ready()))
  onTestFinished(async () => void (await Promise.all(nodes.map((node) => node.close()))))
  return nodes
}

/** A node whose clock was put forward by more than clocks may differ serves again when its peers have confirmed it. */
export async function ready(nodes: readonly SessionBackend[]): Promise<void> {
  for (const node of nodes) node.touch({ actor: 1, counter: 1 }, Date.now())
  await vi.waitFor(() => expect(nodes.every((node) => node.health().ready)).toBe(true), { interval: 5 })
}

function nodeAt(hub: LoopbackHub, address: string, addresses: readonly string[]): ReplicatedBackend {
  const actor = 7_000 + ++actors
  const node = `node-${actor}` as NodeId
  const now = (): number => Date.now()
  const startedAt = now()
  const peers = addresses.filter((other) => other !== address)
  const hello = { cluster: 'store', node, actor, startedAt, settings: {} }
  const transport = new LoopbackTransport({ hub, hello, address, peers, now, randomBytes, log: silent })
  return new ReplicatedBackend({ node, actor, startedAt, transport, peers, ids, seals, now, log: silent })
}
