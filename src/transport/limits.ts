/**
 * Every bound of the transport in one place. Whoever reaches one meets a named rule, never a growing process.
 */

// ── Frames ─────────────────────────────────────────────────────────────────────────────────────────────────

/** Largest WebSocket message, seal included. A peer that sends more is closed with 1009. */
export const MAX_FRAME_BYTES: number = 1024 * 1024
/** What sealing adds to a message: 6 bytes sequence number and 16 bytes MAC. */
export const SEAL_BYTES = 22
/** Largest encoded message: it still fits into a frame once sealed. */
export const MAX_MESSAGE_BYTES: number = MAX_FRAME_BYTES - SEAL_BYTES
/** Deepest nesting of arrays. The deepest message, a set in a fragment, needs 7. */
export const MAX_DEPTH = 8
/** Most msgpack elements in one message. The largest, a full list of live births, needs one byte for each. */
export const MAX_ELEMENTS: number = 512 * 1024
/** WebSocket fragments of one message. Our own frames have one. */
export const MAX_FRAGMENTS = 64
/**
 * Chunks that ws may hold for an unfinished frame: 1 MiB in the smallest usual TCP segments, four times over.
 */
export const MAX_BUFFERED_CHUNKS = 4096

// ── Fields ─────────────────────────────────────────────────────────────────────────────────────────────────

/** Characters of an attribute name. */
export const MAX_NAME_CHARS = 256
/** Characters of the text in a reserved register and of a principal. */
export const MAX_TEXT_CHARS = 1024
/** Bytes of one attribute value. The frame is the tighter bound. */
export const MAX_VALUE_BYTES: number = 1024 * 1024
/** Characters of a node id and of a cluster name. */
export const MAX_NODE_CHARS = 128
/** Actors that one message may speak of: process starts that the cluster remembers. */
export const MAX_ACTORS: number = 64 * 1024
/** Members of one roster. */
export const MAX_MEMBERS = 4096
/** Latest moment a Date can hold, milliseconds since 1970: no time on the wire is later. */
export const MAX_TIME_MS = 8.64e15

// ── Handshake ──────────────────────────────────────────────────────────────────────────────────────────────

/** Bytes taken from a peer before it has authenticated itself, HTTP request not counted. */
export const MAX_HANDSHAKE_BYTES = 4096
/** Bytes of our own HELLO: whatever the configuration holds, peers accept it. */
export const MAX_HELLO_BYTES = 3072
/** Bytes of the HTTP request that asks for the upgrade; beyond it 431. */
export const MAX_HEADER_BYTES = 8192
/** Headers of that request; beyond it 431. */
export const MAX_HEADERS = 64
/** Characters of an address in HELLO: a DNS name (255), a colon and a port. */
export const MAX_ADDRESS_CHARS = 261
/** Settings that must agree. */
export const MAX_SETTINGS = 64
/** Characters of the name and of the value of one setting. */
export const MAX_SETTING_CHARS = 128
/** Characters of the reason in a refusal. */
export const MAX_DETAIL_CHARS = 123
/** Bytes of a cluster secret wherever more than this machine can reach the port. */
export const MIN_SECRET_BYTES = 32

// ── Time and queues ────────────────────────────────────────────────────────────────────────────────────────

/** The bounds that depend on the network and not on the protocol. Tests make them small. */
export interface Bounds {
  /** Connections that have not authenticated themselves yet; a further one is closed at once. */
  readonly pending: number
  /** From the TCP connection to the end of the handshake. */
  readonly handshakeMs: number
  /** From dialling to the answer to the HTTP upgrade. */
  readonly connectMs: number
  /** Largest difference between the wall clocks of two nodes. */
  readonly skewMs: number
  /** Bytes queued to one peer. A frame that does not fit is dropped and the link is stale. */
  readonly queuedBytes: number
  /** A stale link takes frames again below this. */
  readonly drainedBytes: number
  /** A stale link that does not drain for so long is cut. */
  readonly slowPeerMs: number
  /** A peer that sends more WebSocket pings in a second is closed with 1008. */
  readonly pingsPerSecond: number
  /**
   * Period of the transport's tick. Silence, pings and slow peers are counted in ticks: no clock, no false
   * alarm.
   */
  readonly tickMs: number
  /** A link over which nothing went out for so long sends a ping. */
  readonly pingAfterMs: number
  /** A link over which nothing came in for so long is closed, times how much this node distrusts itself. */
  readonly silentAfterMs: number
  /** A link that was heard within this time keeps its node name against a newcomer. */
  readonly heardMs: number
  /** Two links to one peer that came up within this time were dialled by both ends at the same moment. */
  readonly simultaneousMs: number
  /** Time for queued frames and the closing handshake. */
  readonly closeMs: number
  /** First and longest wait between two attempts to reach a peer. */
  readonly redialMinMs: number
  readonly redialMaxMs: number
  /** Wait before an address that turned out to be this very process is tried again. */
  readonly redialSelfMs: number
}

export const DEFAULT_BOUNDS: Bounds = {
  pending: 64,
  handshakeMs: 5_000,
  connectMs: 2_000,
  skewMs: 10_000,
  queuedBytes: 8 * 1024 * 1024,
  drainedBytes: 2 * 1024 * 1024,
  slowPeerMs: 30_000,
  pingsPerSecond: 100,
  tickMs: 250,
  pingAfterMs: 1_000,
  // Ten ticks: with the one in which the last bytes came, and timers that are late, less than 3 s.
  silentAfterMs: 2_500,
  heardMs: 1_500,
  simultaneousMs: 2_000,
  closeMs: 1_000,
  redialMinMs: 50,
  redialMaxMs: 2_000,
  redialSelfMs: 60_000,
}
