/**
 * Every error a user can meet. Each has a code, and one line saying what it did to state.
 * A missing session is an answer, never an error.
 */

/** What every error of session-mesh has in common: a stable `code` to branch on. */
export abstract class SessionMeshError extends Error {
  abstract readonly code: string
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
  }
}

/** The configuration is wrong; nothing was opened. `problems` has one line per mistake. */
export class ConfigError extends SessionMeshError {
  readonly code = 'SESSION_MESH_CONFIG'
  readonly problems: readonly string[]
  constructor(problems: readonly string[], source?: string) {
    super([`${source ?? 'configuration'}: ${problems.length} problem(s)`, ...problems.map((p) => `  ${p}`)].join('\n'))
    this.problems = problems
  }
}

/** Bytes from a peer were not what the protocol allows. That link is closed; no session state changed. */
export class ProtocolError extends SessionMeshError {
  readonly code = 'SESSION_MESH_PROTOCOL'
  /** Named rule that was broken; used as a counter's label, so it never carries content. */
  readonly rule: string
  /** WebSocket close code the link is closed with. */
  readonly closeCode: number
  constructor(rule: string, message: string, closeCode = 1002) {
    super(message)
    this.rule = rule
    this.closeCode = closeCode
  }
}

/** A peer (or this node) was refused by name during the handshake. No session state was exchanged. */
export class HandshakeError extends SessionMeshError {
  readonly code = 'SESSION_MESH_HANDSHAKE'
  readonly rule: string
  constructor(rule: string, message: string) {
    super(message)
    this.rule = rule
  }
}

/** The backend could not answer; whether a write arrived is unknown. The request gets 503 or next(error). */
export class BackendError extends SessionMeshError {
  readonly code = 'SESSION_MESH_BACKEND'
  /** HTTP status that fits. */
  readonly status: number = 503
}

/** This node cannot serve every session yet, or is behind what the browser has seen. Nothing changed; retry helps. */
export class NotReadyError extends SessionMeshError {
  readonly code = 'SESSION_MESH_NOT_READY'
  readonly status: number = 503
  readonly retryAfterMs: number
  constructor(message: string, retryAfterMs: number) {
    super(message)
    this.retryAfterMs = retryAfterMs
  }
}

/** The session ended while the request ran; nothing was saved and nothing came back to life. */
export class SessionGoneError extends SessionMeshError {
  readonly code = 'SESSION_MESH_GONE'
}

/** `req.session` was read before it was loaded on demand. Nothing changed. */
export class SessionNotLoadedError extends SessionMeshError {
  readonly code = 'SESSION_MESH_NOT_LOADED'
}

/** An attribute cannot be kept: its name or value is refused, or a limit is reached. Nothing was saved. */
export class AttributeError extends TypeError {
  readonly code = 'SESSION_MESH_ATTRIBUTE'
  /** Path of the offending value, such as `cart.items[2].price`. */
  readonly path: string
  constructor(path: string, message: string) {
    super(message)
    this.name = 'AttributeError'
    this.path = path
  }
}

/** A limit (session bytes, attribute count, session count) is reached. Nothing was saved; live sessions are kept. */
export class LimitError extends SessionMeshError {
  readonly code = 'SESSION_MESH_LIMIT'
  readonly status: number
  constructor(message: string, status = 500) {
    super(message)
    this.status = status
  }
}
