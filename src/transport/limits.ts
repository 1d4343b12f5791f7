/** Every bound of the transport in one place. Whoever reaches one meets a named rule, never a growing process. */

// ── Frames ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Largest WebSocket message, seal included. A peer that sends more is closed with 1009. */
export const MAX_FRAME_BYTES: number = 1024 * 1024
/** What sealing adds to a message: 6 bytes sequence number and 16 bytes MAC. */
export const SEAL_BYTES = 22
/** Largest encoded message: it still fits into a frame once sealed. */
export const MAX_MESSAGE_BYTES: number = MAX_FRAME_BYTES - SEAL_BYTES
/** Deepest nesting of arrays. The deepest message needs 4. */
export const MAX_DEPTH = 8
/** Most msgpack elements in one message. The largest, a full list of live births, needs one byte for each. */
export const MAX_ELEMENTS: number = 512 * 1024
/** WebSocket fragments of one message. Our own frames have one. */
export const MAX_FRAGMENTS = 64
/** Chunks that ws may hold for an unfinished frame: 1 MiB in the smallest usual TCP segments, four times over. */
export const MAX_BUFFERED_CHUNKS = 4096

// ── Fields ────────────────────────────────────────────────────────────────────────────────────────────────────────

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

// ── Handshake ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** Bytes taken from a peer before it has authenticated itself, HTTP request not counted. */
export const MAX_HANDSHAKE_BYTES = 4096
/** Bytes of the HTTP request that asks for the upgrade; beyond it 431. */
export const MAX_HEADER_BYTES = 8192
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
/** Connections that have not authenticated themselves yet; a further one is closed at once. */
export const MAX_PENDING = 64
/** From the TCP connection to the end of the handshake. */
export const HANDSHAKE_MS = 5_000
/** From dialling to the answer of the HTTP upgrade. */
export const CONNECT_MS = 2_000
/** Largest difference between the wall clocks of two nodes. */
export const MAX_SKEW_MS = 10_000

// ── Links ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Bytes queued to one peer. A frame that does not fit is dropped and the link is stale. */
export const MAX_QUEUED_BYTES: number = 8 * 1024 * 1024
/** A stale link takes frames again below this. */
export const DRAINED_BYTES: number = MAX_QUEUED_BYTES / 4
/** A stale link that does not drain for so long is cut. */
export const SLOW_PEER_MS = 30_000
/** A peer that sends more WebSocket pings in a second is closed with 1008. */
export const MAX_PINGS_PER_SECOND = 100
/** Period of the transport's own tick: silence, pings and slow peers are counted in ticks, not in clock time. */
export const TICK_MS = 250
/** A link over which nothing went out for so long sends a ping. */
export const PING_AFTER_MS = 1_000
/** A link over which nothing came in for so long is closed, times how much this node distrusts itself. */
export const SILENT_AFTER_MS = 3_000
/** A link that was heard within this time keeps its node name against a newcomer. */
export const HEARD_MS = 1_500
/** Two links that came up within this time of each other were dialled at the same moment. */
export const SIMULTANEOUS_MS = 2_000
/** Time for queued frames and the closing handshake when the transport closes. */
export const CLOSE_MS = 1_000

// ── Dialling ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** First and longest wait between two attempts to reach a peer. */
export const REDIAL_MIN_MS = 50
export const REDIAL_MAX_MS = 2_000
/** Wait before an address that turned out to be this very process is tried again. */
export const REDIAL_SELF_MS = 60_000
