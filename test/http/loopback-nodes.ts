import { randomBytes } from 'node:crypto'
import { onTestFinished } from 'vitest'
import { ReplicatedBackend } from '../../src/backend/replicated/replicated.js'
import { SeenSealer } from '../../src/backend/replicated/seen.js'
import { sessions } from '../../src/http/middleware.js'
import { resolveSessionOptions } from '../../src/http/options.js'
import type { MaxSessions } from '../../src/http/services/principal-limit.js'
import { SessionServices } from '../../src/http/services/session-services.js'
import { silent } from '../../src/log.js'
import { SessionEvents } from '../../src/observe/session-events.js'
import { IdCodec } from '../../src/session/id.js'
import type { NodeId } from '../../src/session/session.js'
import { LoopbackHub, LoopbackTransport } from '../../src/transport/loopback.js'
import { bare, serve, type Client, type Handler } from './support.js'

const SECRETS = ['0123456789abcdef0123456789abcdef']

/** One node of a cluster in this process. */
export interface LoopbackNode {
  readonly address: string
  readonly backend: ReplicatedBackend
  readonly services: SessionServices
  readonly events: SessionEvents
  /** A browser at this node, where `handler` answers. */
  serve(handler: Handler): Promise<Client>
}

export interface LoopbackCluster {
  readonly hub: LoopbackHub
  readonly nodes: readonly LoopbackNode[]
  readonly node: (i: number) => LoopbackNode
}

/** Replicated nodes in one process, ready; they end with the test. */
export async function loopbackCluster(size: number, maxSessions?: MaxSessions): Promise<LoopbackCluster> {
  const hub = new LoopbackHub()
  const addresses = Array.from({ length: size }, () => hub.freeAddress())
  const nodes = addresses.map((address) => openNode(hub, address, addresses, maxSessions))
  await Promise.all(nodes.map(({ backend }) => backend.open()))
  for (const { services } of nodes) services.open()
  onTestFinished(async () => {
    for (const { services } of nodes) services.close()
    await Promise.all(nodes.map(({ backend }) => backend.close()))
  })
  await Promise.all(nodes.map(({ backend }) => backend.ready()))
  return { hub, nodes, node: (i) => nodes[i] as LoopbackNode }
}

let actors = 0

function openNode(hub: LoopbackHub, address: string, addresses: readonly string[], maxSessions?: MaxSessions): LoopbackNode {
  const actor = 1_000 + ++actors
  const node = `node-${actor}` as NodeId
  const peers = addresses.filter((other) => other !== address)
  const hello = { cluster: 'test', node, actor, startedAt: Date.now(), settings: {} }
  const transport = new LoopbackTransport({ hub, hello, address, peers, now: Date.now, randomBytes, log: silent })
  const ids = new IdCodec(SECRETS, randomBytes)
  const seals = new SeenSealer(SECRETS)
  const parts = { node, actor, startedAt: Date.now(), transport, peers, ids, seals, now: Date.now, log: silent }
  const backend = new ReplicatedBackend(parts)
  const session = resolveSessionOptions()
  const world = { now: Date.now, log: silent }
  const services = new SessionServices({ backend, session, secrets: SECRETS, maxSessions, creationStacks: false, ...world })
  const middleware = sessions(backend, session, services.world)
  return {
    address,
    backend,
    services,
    events: new SessionEvents(backend, silent),
    serve: (handler) => serve(bare(middleware, handler)),
  }
}
