import type { LinkId, PeerInfo, Refusal } from './transport.js'

/** What deciding between two links needs to know of one that is up. */
export interface TableEntry {
  readonly id: LinkId
  readonly peer: PeerInfo
  readonly dialledByUs: boolean
  /** How long it is up. */
  readonly ageMs: number
  /** Whether anything came in within that time. */
  heardWithin(ms: number): boolean
}

/** What becomes of a connection whose handshake is complete. */
export type Verdict<T> =
  /** Up, in place of these. */
  | { readonly type: 'up'; readonly replaces: readonly T[] }
  /** The other link to this peer stays; the peer, who decides the same, closes this connection. */
  | { readonly type: 'yield' }
  | { readonly type: 'refuse'; readonly refusal: Refusal }

/**
 * The links that are up: one per peer actor, one per node name.
 *
 * When two nodes dial each other at the same moment, the link dialled by the smaller actor stays. Both ends
 * find the same without talking: a dialler is up before its acceptor, so the acceptor of the link that stays
 * is the last to know, and it alone closes the other one. At no moment is there no link.
 */
export class PeerTable<T extends TableEntry> {
  readonly #links = new Map<LinkId, T>()
  readonly #ownActor: number
  readonly #bounds: { readonly heardMs: number; readonly simultaneousMs: number }

  constructor(ownActor: number, bounds: { readonly heardMs: number; readonly simultaneousMs: number }) {
    this.#ownActor = ownActor
    this.#bounds = bounds
  }

  get size(): number {
    return this.#links.size
  }

  get(id: LinkId): T | undefined {
    return this.#links.get(id)
  }

  all(): readonly T[] {
    return [...this.#links.values()]
  }

  add(link: T): void {
    this.#links.set(link.id, link)
  }

  delete(id: LinkId): boolean {
    return this.#links.delete(id)
  }

  byActor(actor: number): T | undefined {
    return this.all().find((link) => link.peer.actor === actor)
  }

  /** Asked in the handshake: may this peer come up? `dialling`: we dialled it. */
  admit(peer: PeerInfo, dialling: boolean): Refusal | undefined {
    // A link that is up at the acceptor is up at the dialler, so both ends have the one that we are told of.
    if (dialling && this.byActor(peer.actor) !== undefined) {
      return { rule: 'duplicate-link', detail: 'a link to this peer is up' }
    }
    const namesake = this.#namesake(peer)
    if (namesake === undefined || !namesake.heardWithin(this.#bounds.heardMs)) return undefined
    const where = namesake.peer.address || 'another address'
    return { rule: 'name-in-use', detail: `node name is in use at ${where}` }
  }

  /** Asked when the handshake is complete. */
  settle(peer: PeerInfo, dialling: boolean): Verdict<T> {
    const twin = this.byActor(peer.actor)
    if (twin !== undefined && !dialling && this.#staysAgainst(twin, peer)) return { type: 'yield' }
    const refusal = this.admit(peer, dialling)
    if (refusal !== undefined) return { type: 'refuse', refusal }
    return { type: 'up', replaces: [twin, this.#namesake(peer)].filter((link) => link !== undefined) }
  }

  /** Whether our own dialled link stays: dialled at the same moment, and by the smaller actor. */
  #staysAgainst(twin: T, peer: PeerInfo): boolean {
    return twin.dialledByUs && twin.ageMs <= this.#bounds.simultaneousMs && this.#ownActor < peer.actor
  }

  /** A link to another start of the same node. */
  #namesake(peer: PeerInfo): T | undefined {
    return this.all().find((link) => link.peer.node === peer.node && link.peer.actor !== peer.actor)
  }
}
