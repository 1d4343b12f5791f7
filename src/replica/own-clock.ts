import type { Peer } from './peer.js'

/**
 * Whether the clock of this node is to be believed. It is wrong when most peers agree that it is; one peer alone proves
 * nothing. Without peers it is right.
 */
export class OwnClock {
  readonly #maxSkewMs: number
  /** It disagrees with most others: its node must neither serve nor judge expiry. A field, since every request looks at it. */
  isFenced = false
  /** It jumped, or most peers contradicted it, and none confirmed it since. */
  #isDoubted = false

  /** `maxSkewMs`: difference to most peers beyond which a node stops serving. */
  constructor(maxSkewMs: number) {
    this.#maxSkewMs = maxSkewMs
  }

  /** It jumped, or we slept: until peers confirm the time nothing is judged by it. */
  suspect(peers: ReadonlyMap<unknown, Peer>): void {
    this.#isDoubted = true
    if (peers.size === 0) return
    this.isFenced = true
    for (const peer of peers.values()) peer.clockOffsetMs = undefined
  }

  /** By what peers said of their time. Answers whether they confirmed it just now. */
  judge(peers: ReadonlyMap<unknown, Peer>): boolean {
    const wasDoubted = this.#isDoubted || this.isFenced
    if (this.#isDoubted || this.#isContradictedBy(peers)) this.#decide(peers)
    return wasDoubted && !this.#isDoubted && !this.isFenced
  }

  /**
   * Once in doubt it is right when most clocks, this one among them, show its time: peers that contradict one another have
   * not confirmed it.
   */
  #decide(peers: ReadonlyMap<unknown, Peer>): void {
    const offsets = [...peers.values()]
      .flatMap((peer) => (peer.clockOffsetMs === undefined ? [] : [peer.clockOffsetMs]))
      .sort((a, b) => a - b)
    if (peers.size === 0) {
      this.isFenced = false
    } else if (this.#isDoubted) {
      if (offsets.length === 0) return
      const confirming = offsets.filter((offset) => Math.abs(offset) <= this.#maxSkewMs).length
      this.isFenced = (confirming + 1) * 2 <= offsets.length + 1
      this.#isDoubted = this.isFenced
    } else if (offsets.length >= 2) {
      const median = offsets[offsets.length >> 1] ?? 0
      const agree = offsets.filter((offset) => Math.abs(offset - median) <= this.#maxSkewMs).length
      this.isFenced = agree * 2 > offsets.length && Math.abs(median) > this.#maxSkewMs
      this.#isDoubted = this.isFenced
    }
  }

  #isContradictedBy(peers: ReadonlyMap<unknown, Peer>): boolean {
    for (const { clockOffsetMs } of peers.values()) {
      if (clockOffsetMs !== undefined && Math.abs(clockOffsetMs) > this.#maxSkewMs) return true
    }
    return false
  }
}
