/** Counters of one transport, by metric name. */
export class Tally {
  /** What every frame touches: plain fields, not a look-up by name. */
  readonly traffic: Traffic = {
    framesSent: 0, bytesSent: 0, framesReceived: 0, bytesReceived: 0, framesDropped: 0,
  }
  readonly #byName = new Map<string, number>()

  /** Counts one more of `name`. Labels come from closed lists, never from a peer. */
  count(name: string, label?: { readonly [key: string]: string }): void {
    const [entry] = Object.entries(label ?? {})
    const key = entry === undefined ? name : `${name}{${entry[0]}="${entry[1]}"}`
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
      session_mesh_frames_sent_total: this.traffic.framesSent,
      session_mesh_sent_bytes_total: this.traffic.bytesSent,
      session_mesh_frames_received_total: this.traffic.framesReceived,
      session_mesh_received_bytes_total: this.traffic.bytesReceived,
      session_mesh_queue_drops_total: this.traffic.framesDropped,
      ...Object.fromEntries(this.#byName),
    }
  }
}

export interface Traffic {
  framesSent: number
  bytesSent: number
  framesReceived: number
  bytesReceived: number
  framesDropped: number
}
