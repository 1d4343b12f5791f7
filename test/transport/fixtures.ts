/** What the transport tests share: a recorder of events, and how to start a node. */
import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:net'
import { vi } from 'vitest'
import type { Log } from '../../src/log.js'
import type { NodeId } from '../../src/session/session.js'
import type { HelloInfo, LinkId, PeerInfo, Transport, TransportEvents } from '../../src/transport/transport.js'

export const SECRET = 'a secret of the transport tests, long enough'

/** Keeps everything a transport tells. */
export class Recorder implements TransportEvents {
  readonly links = new Map<LinkId, PeerInfo>()
  readonly history: string[] = []
  readonly frames: { readonly link: LinkId; readonly bytes: Uint8Array }[] = []
  readonly unreached: { readonly address: string; readonly rule: string; readonly detail: string }[] = []
  onFrame: (link: LinkId, bytes: Uint8Array) => void = () => {}

  up(link: LinkId, peer: PeerInfo): void {
    this.links.set(link, peer)
    this.history.push(`up ${peer.node}`)
  }

  down(link: LinkId, reason: string): void {
    this.history.push(`down ${this.links.get(link)?.node}: ${reason}`)
    this.links.delete(link)
  }

  frame(link: LinkId, bytes: Uint8Array): void {
    this.frames.push({ link, bytes: Uint8Array.from(bytes) })
    this.onFrame(link, bytes)
  }

  stale(link: LinkId): void {
    this.history.push(`stale ${this.links.get(link)?.node}`)
  }

  drained(link: LinkId): void {
    this.history.push(`drained ${this.links.get(link)?.node}`)
  }

  unreachable(address: string, rule: string, detail: string): void {
    this.unreached.push({ address, rule, detail })
  }

  /** The link to the only peer of that name. */
  linkTo(node: string): LinkId {
    const found = [...this.links].filter(([, peer]) => peer.node === node)
    if (found.length !== 1) throw new Error(`${found.length} links to ${node}`)
    return found[0]![0]
  }

  rules(): string[] {
    return [...new Set(this.unreached.map(({ rule }) => rule))]
  }
}

export interface NodeSpec {
  readonly node: string
  readonly actor?: number
  readonly address?: string
  readonly peers?: readonly string[]
  readonly cluster?: string
  readonly secrets?: readonly string[]
  readonly settings?: Readonly<Record<string, string>>
  readonly now?: () => number
}

export interface TestNode {
  readonly transport: Transport
  readonly events: Recorder
  readonly actor: number
  /** Values of one counter, over all its labels that contain `label`. */
  counted(name: string, label?: string): number
}

let lastActor = 1000

export function helloOf(spec: NodeSpec): HelloInfo & { readonly actor: number } {
  return {
    cluster: spec.cluster ?? 'shop',
    node: spec.node as NodeId,
    actor: spec.actor ?? (lastActor += 1),
    startedAt: 1_790_000_000_000,
    settings: spec.settings ?? { ttl: '30m' },
  }
}

export function testNode(transport: Transport, events: Recorder, actor: number): TestNode {
  return {
    transport,
    events,
    actor,
    counted(name, label = '') {
      let total = 0
      for (const [key, value] of Object.entries(transport.counters())) {
        if (key.startsWith(name) && key.includes(label)) total += value
      }
      return total
    },
  }
}

/** Waits until it holds, without sleeping longer than needed. */
export function until(condition: () => void, timeout = 4_000): Promise<void> {
  return vi.waitFor(condition, { interval: 5, timeout })
}

/** An address of this machine that nobody listens on. */
export async function freeAddress(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise<void>((resolve) => server.close(() => resolve()))
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return `127.0.0.1:${address.port}`
}

export function dice(): number {
  return randomBytes(4).readUInt32BE() / 2 ** 32
}

export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Remembers log lines. */
export function logBook(): { readonly lines: string[]; readonly log: Log } {
  const lines: string[] = []
  return { lines, log: (level, event, fields = {}) => lines.push(`${level} ${event} ${JSON.stringify(fields)}`) }
}
