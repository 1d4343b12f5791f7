/**
 * The mutual challenge and response before any session state moves. No sockets, no clock: bytes and the time
 * come in, bytes or a verdict go out.
 *
 *   dialler                                acceptor
 *     HELLO  ───────────────────────────▶   shape, version, cluster
 *            ◀───────────────────────────   HELLO
 *     AUTH   ───────────────────────────▶   secret; not ourselves, settings, clocks, name free?
 *            ◀───────────────────────────   AUTH           the same questions the other way round
 *     READY, the first sealed frame ────▶   up on both sides
 *
 * AUTH = HMAC(key of a secret, role | SHA-256(HELLO of the dialler | HELLO of the acceptor)), so everything a
 * HELLO says is authenticated, and the nonces make each handshake unique. Whoever finds a reason against it
 * sends REFUSE with the rule before closing. A stranger learns from a node: that its HELLO is refused; or,
 * naming the right cluster, the node's HELLO.
 */
import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { ProtocolError } from '../errors.js'
import { deriveKey } from '../session/id.js'
import { pack, unpack } from './codec.js'
import {
  clusterOf, differingSetting, encodeHello, type Hello, PROTOCOL, readHello, speaksOurVersion,
} from './hello.js'
import type { Fields } from './fields.js'
import { MAX_HANDSHAKE_BYTES } from './limits.js'
import { closeCodeOf, encodeRefusal, readRefusal } from './refusal.js'
import { FrameOpener, FrameSealer } from './seal.js'
import type { PeerInfo, Refusal } from './transport.js'

type Role = 'dialler' | 'acceptor'

/** The keys that one secret stands for in the handshake. */
export interface LinkSecret {
  readonly auth: Uint8Array
  readonly frames: Uint8Array
}

/** The keys of the secrets. Without any, keys of the cluster's name: the same path, and no protection. */
export function linkSecrets(secrets: readonly string[], cluster: string): readonly LinkSecret[] {
  const all = secrets.length > 0 ? secrets : [`no secret, cluster ${cluster}`]
  return all.map((secret) => ({
    auth: deriveKey(secret, 'link authentication'),
    frames: deriveKey(secret, 'link frames'),
  }))
}

export interface HandshakeOptions {
  readonly role: Role
  /** What we say of ourselves; the wall time is filled in when it is sent. */
  readonly hello: Omit<Hello, 'wallMs'>
  /** The first signs when we dial, every one is accepted. */
  readonly secrets: readonly LinkSecret[]
  /** Whether frames are sealed: left out only under mutual TLS, or on loopback without a secret. */
  readonly sealed: boolean
  readonly maxSkewMs: number
  /** The address under which we dialled. */
  readonly dialled?: string
  /** The last word, when everything else about the peer is right. */
  readonly admit: (peer: PeerInfo) => Refusal | undefined
}

/** What one received message leads to. */
export type Step =
  | { readonly type: 'send'; readonly bytes: Uint8Array }
  /** Up, once `bytes` (if any) were sent. */
  | {
      readonly type: 'up'
      readonly bytes: Uint8Array | undefined
      readonly peer: PeerInfo
      readonly sealer: FrameSealer
      readonly opener: FrameOpener
    }
  /** Over. `bytes` tell the peer; undefined when it was the peer that refused. */
  | {
      readonly type: 'refused'
      readonly refusal: Refusal
      readonly closeCode: number
      readonly bytes: Uint8Array | undefined
    }

interface Keys {
  readonly sealer: FrameSealer
  readonly opener: FrameOpener
}

/** One handshake, from one side. */
export class Handshake {
  readonly #options: HandshakeOptions
  #awaits: 'hello' | 'auth' | 'ready' | 'nothing' = 'hello'
  #receivedBytes = 0
  #ownHello: Uint8Array | undefined
  #helloSentAt = 0
  #peerHello: Hello | undefined
  #clockOffsetMs = 0
  #transcript: Uint8Array | undefined
  #keys: Keys | undefined

  constructor(options: HandshakeOptions) {
    this.#options = options
  }

  /** What the peer said of itself so far; not authenticated before the handshake is up. */
  get claimed(): Hello | undefined {
    return this.#peerHello
  }

  /** The dialler's first message. */
  start(now: number): Uint8Array {
    this.#helloSentAt = now
    return (this.#ownHello = encodeHello({ ...this.#options.hello, wallMs: now }))
  }

  /** Takes one message of the peer, received at `now`. */
  receive(bytes: Uint8Array, now: number): Step {
    this.#receivedBytes += bytes.length
    try {
      if (this.#receivedBytes > MAX_HANDSHAKE_BYTES) {
        throw new ProtocolError('frame-size', 'too many bytes', 1009)
      }
      return this.#awaits === 'ready' ? this.#onReady(bytes) : this.#onMessage(bytes, unpack(bytes), now)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      return this.#refuse({ rule: 'malformed', detail: error.message }, error.closeCode)
    }
  }

  #onMessage(bytes: Uint8Array, fields: Fields, now: number): Step {
    const [type] = fields
    if (type === 'refuse') return this.#refusedByPeer(fields)
    if (type !== this.#awaits || type === 'nothing') {
      return this.#refuse({ rule: 'malformed', detail: 'not authenticated' }, 4401)
    }
    return type === 'hello' ? this.#onHello(bytes, fields, now) : this.#onAuth(fields[1], now)
  }

  #onHello(bytes: Uint8Array, fields: Fields, now: number): Step {
    if (!speaksOurVersion(fields)) {
      const detail = `versions ${PROTOCOL.min} to ${PROTOCOL.max} are accepted`
      return this.#refuse({ rule: 'version', detail })
    }
    const peer = readHello(fields)
    if (clusterOf(fields) !== this.#options.hello.cluster) {
      return this.#refuse({ rule: 'wrong-cluster', detail: 'cluster mismatch' })
    }
    this.#peerHello = peer
    const dialling = this.#options.role === 'dialler'
    const sentAt = dialling ? this.#helloSentAt : now
    this.#clockOffsetMs = peer.wallMs - (sentAt + now) / 2
    const own = this.#ownHello ?? this.start(now)
    this.#transcript = dialling ? hashOf(own, bytes) : hashOf(bytes, own)
    this.#awaits = 'auth'
    return { type: 'send', bytes: dialling ? this.#auth(this.#firstSecret()) : own }
  }

  #onAuth(mac: unknown, now: number): Step {
    const dialling = this.#options.role === 'dialler'
    const secret = this.#secretOf(mac, dialling ? 'acceptor' : 'dialler')
    if (secret === undefined) return this.#refuse({ rule: 'bad-secret', detail: 'not authenticated' })

    // The dialler's HELLO took about half of the round trip that has just ended.
    if (!dialling) this.#clockOffsetMs += (now - this.#helloSentAt) / 2
    const peer = this.#peer()
    const refusal = this.#disagreement(peer) ?? this.#options.admit(peer)
    if (refusal !== undefined) return this.#refuse(refusal)

    const keys = (this.#keys = this.#connectionKeys(secret))
    this.#awaits = dialling ? 'nothing' : 'ready'
    if (!dialling) return { type: 'send', bytes: this.#auth(secret) }
    return { type: 'up', bytes: keys.sealer.seal(READY), peer, ...keys }
  }

  #onReady(frame: Uint8Array): Step {
    const keys = this.#keys!
    // The dialler may still refuse, and says so in the clear as every refusal.
    const refusal = plainRefusal(frame)
    if (refusal !== undefined) return this.#refusedByPeer(refusal)
    if (!READY.equals(keys.opener.open(frame))) throw new ProtocolError('field', 'READY is missing')
    this.#awaits = 'nothing'
    return { type: 'up', bytes: undefined, peer: this.#peer(), ...keys }
  }

  #peer(): PeerInfo {
    const { node, actor, startedAt, address } = this.#peerHello!
    const { dialled } = this.#options
    const peer = { node, actor, startedAt, address, clockOffsetMs: Math.round(this.#clockOffsetMs) }
    return dialled === undefined ? peer : { ...peer, dialled }
  }

  /** What both sides find out for themselves, each naming it. */
  #disagreement(peer: PeerInfo): Refusal | undefined {
    const { hello, maxSkewMs } = this.#options
    if (peer.actor === hello.actor) return { rule: 'self', detail: 'this is the same process' }
    if (peer.node === hello.node) {
      return { rule: 'name-in-use', detail: `node name ${clip(peer.node)} is used by both sides` }
    }
    const setting = differingSetting(hello.settings, this.#peerHello!.settings)
    if (setting !== undefined) return { rule: 'settings', detail: `setting ${clip(setting)} differs` }
    const skewMs = Math.abs(peer.clockOffsetMs)
    if (skewMs <= maxSkewMs) return undefined
    return { rule: 'clock-skew', detail: `clocks differ by ${skewMs} ms, allowed are ${maxSkewMs} ms` }
  }

  // ── Keys ─────────────────────────────────────────────────────────────────────────────────────────────────

  #firstSecret(): LinkSecret {
    return this.#options.secrets[0]!
  }

  #auth(secret: LinkSecret): Uint8Array {
    return pack(['auth', macOf(secret, this.#options.role, this.#transcript!)])
  }

  /** The secret that made the peer's MAC. Every secret is tried and every comparison takes the same time. */
  #secretOf(mac: unknown, role: Role): LinkSecret | undefined {
    const given = Buffer.alloc(32)
    if (mac instanceof Uint8Array && mac.length === given.length) given.set(mac)
    let found: LinkSecret | undefined
    for (const secret of this.#options.secrets) {
      if (timingSafeEqual(macOf(secret, role, this.#transcript!), given)) found ??= secret
    }
    return found
  }

  #connectionKeys(secret: LinkSecret): Keys {
    const { role, sealed } = this.#options
    const keyOf = (sender: Role): Uint8Array | undefined => {
      if (!sealed) return undefined
      return Buffer.from(hkdfSync('sha256', secret.frames, this.#transcript!, `frames of the ${sender}`, 32))
    }
    return {
      sealer: new FrameSealer(keyOf(role)),
      opener: new FrameOpener(keyOf(role === 'dialler' ? 'acceptor' : 'dialler')),
    }
  }

  // ── Refusals ─────────────────────────────────────────────────────────────────────────────────────────────

  #refuse(refusal: Refusal, closeCode: number = closeCodeOf(refusal.rule)): Step {
    this.#awaits = 'nothing'
    return { type: 'refused', refusal, closeCode, bytes: encodeRefusal(refusal) }
  }

  #refusedByPeer(fields: Fields): Step {
    this.#awaits = 'nothing'
    const refusal = readRefusal(fields)
    return { type: 'refused', refusal, closeCode: closeCodeOf(refusal.rule), bytes: undefined }
  }
}

const READY: Buffer = Buffer.from('ready')

function plainRefusal(frame: Uint8Array): Fields | undefined {
  try {
    const fields = unpack(frame)
    return fields[0] === 'refuse' ? fields : undefined
  } catch {
    return undefined
  }
}

function hashOf(diallerHello: Uint8Array, acceptorHello: Uint8Array): Uint8Array {
  return createHash('sha256').update(diallerHello).update(acceptorHello).digest()
}

function macOf(secret: LinkSecret, role: Role, transcript: Uint8Array): Buffer {
  return createHmac('sha256', secret.auth).update(role).update(transcript).digest()
}

function clip(text: string): string {
  return text.length > 64 ? `${text.slice(0, 63)}…` : text
}
