/**
 * What is audited: a store as express-session knows it, and what else its module may offer. Only `get`, `set`
 * and
 * `destroy` are required of a store.
 */

export type Callback = (error?: unknown, value?: unknown) => void

export interface AuditedStore {
  get(id: string, callback: Callback): unknown
  set(id: string, session: object, callback: Callback): unknown
  destroy(id: string, callback: Callback): unknown
  touch?(id: string, session: object, callback: Callback): unknown
  all?(callback: Callback): unknown
  length?(callback: Callback): unknown
  clear?(callback: Callback): unknown
}

/** A module may export this, or make it, in place of a bare store. */
export interface Audited {
  readonly store: AuditedStore
  /** The same sessions through another node, where there is one; the second of two requests goes there. */
  readonly other?: AuditedStore
  /** Takes away what the store keeps its sessions in, and gives it back. */
  readonly outage?: Outage
  /** After the audit. */
  close?(): unknown
}

export interface Outage {
  readonly begin: () => unknown
  readonly end: () => unknown
}

/** What the application gets of express-session. */
export interface SessionData {
  readonly id: string
  readonly cookie: { maxAge?: number | null }
  [name: string]: unknown
  destroy(callback: Callback): unknown
  save(callback: Callback): unknown
}

/** The function that `express-session` exports. */
export type ExpressSession = (options: object) => Middleware

export type Middleware = (req: object, res: object, next: (error?: unknown) => void) => unknown

const REQUIRED = ['get', 'set', 'destroy'] as const

export function isStore(value: unknown): value is AuditedStore {
  return typeof value === 'object' && value !== null && REQUIRED.every((name) => isMethod(value, name))
}

function isMethod(value: object, name: string): boolean {
  return typeof Reflect.get(value, name) === 'function'
}
