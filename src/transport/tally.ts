import { metricName } from '../metric-name.js'

/** Nodes that get counters of their own; where names keep changing, later ones share what is called `other`. */
const PEERS_MAX = 64

/** Counters of one transport, by metric name. */
export class Tally {
  readonly #byPeer = new Map<string, Traffic>()
  readonly #byName = new Map<string, number>()

  /** What goes to a node and comes from it, for as long as this process runs: plain fields, touched by every frame. */
  trafficWith(node: string): Traffic {
    const name = this.#byPeer.has(node) || this.#byPeer.size < PEERS_MAX ? node : 'other'
    const known = this.#byPeer.get(name)
    if (known !== undefined) return known
    const traffic: Traffic = { framesSent: 0, bytesSent: 0, framesReceived: 0, bytesReceived: 0, framesDropped: 0 }
    this.#byPeer.set(name, traffic)
    return traffic
  }

  /** Counts one more of `name`. Labels come from closed lists, never from a peer. */
  count(name: string, label?: { readonly [key: string]: string }): void {
    const [entry] = Object.entries(label ?? {})
    const key = entry === undefined ? name : metricName(name, ...entry)
    this.#byName.set(key, (this.#byName.get(key) ?? 0) + 1)
  }

  refusedHandshake(rule: string): void {
    this.count('session_mesh_refused_handshakes_total', { rule })
  }

  protocolError(rule: string): void {
    this.count('session_mesh_protocol_errors_total', { rule })
  }

  /** Everything counted so far, and how many links are up. */
  read(linksUp: number): Readonly<Record<string, number>> {
    return {
      session_mesh_links_up: linksUp,
      session_mesh_frames_sent_total: this.#sum('framesSent'),
      session_mesh_sent_bytes_total: this.#sum('bytesSent'),
      session_mesh_frames_received_total: this.#sum('framesReceived'),
      session_mesh_received_bytes_total: this.#sum('bytesReceived'),
      session_mesh_queue_drops_total: this.#sum('framesDropped'),
      ...this.#perPeer('session_mesh_peer_sent_bytes_total', 'bytesSent'),
      ...this.#perPeer('session_mesh_peer_received_bytes_total', 'bytesReceived'),
      ...Object.fromEntries(this.#byName),
    }
  }

  #sum(field: keyof Traffic): number {
    let sum = 0
    for (const traffic of this.#byPeer.values()) sum += traffic[field]
    return sum
  }

  #perPeer(name: string, field: keyof Traffic): Readonly<Record<string, number>> {
    return Object.fromEntries(Array.from(this.#byPeer, ([peer, traffic]) => [metricName(name, 'peer', peer), traffic[field]]))
  }
}

export interface Traffic {
  framesSent: number
  bytesSent: number
  framesReceived: number
  bytesReceived: number
  framesDropped: number
}
