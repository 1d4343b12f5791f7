import type { Acks } from '../../backend/backend.js'
import type { Aliases } from '../carriers/accounts.js'

/**
 * What an application keeps in its sessions. Say it once, and `req.session` is typed everywhere:
 *
 *     declare module 'session-mesh' {
 *       interface SessionData { user: { name: string }; cart: string[] }
 *     }
 */
// oxlint-disable-next-line typescript/no-empty-interface, typescript/no-empty-object-type -- filled by applications
export interface SessionData {}

/** How durable one commit must be before it is answered. Left out: what the backend does by default. */
export interface CommitChoice {
  /** How many other nodes must confirm. */
  readonly acks?: Acks
  /** How long to wait for them, milliseconds; then the outcome is `unknown`. */
  readonly within?: number
}

/**
 * `done`: as many nodes as asked for have it. `unknown`: applied here, not enough confirmations in time.
 * `gone`: the session had ended, or could not reach the browser; nothing was written.
 */
export type CommitOutcome = 'done' | 'unknown' | 'gone'

export type SessionCallback = (error?: unknown) => void

/** Everything a session can be asked, beside its attributes. No attribute can have one of these names. */
export interface SessionMethods {
  /** What the browser holds. Undefined until the first commit, because the backend makes it. Never log it. */
  readonly id: string | undefined
  /** Whether this request found no session: a new one, in the backend or not yet. */
  readonly isNew: boolean
  /** Milliseconds since 1970; undefined until the first commit. */
  readonly createdAt: number | undefined
  /** The access before this one, milliseconds since 1970; undefined until the first commit. */
  readonly lastAccessedAt: number | undefined
  /** Idle lifetime, milliseconds; Infinity = never. Setting it changes this session with the next commit. */
  ttl: number
  /** The cookie as it is configured. Cannot be changed per session. */
  readonly cookie: Readonly<Record<string, unknown>>

  /** Writes what changed, now. Otherwise that happens by itself, before the headers of the response leave. */
  commit(choice?: CommitChoice): Promise<CommitOutcome>
  commit(callback: SessionCallback): void
  /** The same, under the name that express-session gave it. */
  save(choice?: CommitChoice): Promise<CommitOutcome>
  save(callback: SessionCallback): void
  /**
   * Replaces the id, keeps the data, and writes what changed, in one step: for the moment of login. Where there is no
   * session yet, or it ended meanwhile, one is made of what this request wrote.
   */
  rotate(choice?: CommitChoice): Promise<CommitOutcome>
  rotate(callback: SessionCallback): void
  /** Ends this session; `req.session` is a new, empty one afterwards, which will be kept even if it stays empty. */
  regenerate(choice?: CommitChoice): Promise<CommitOutcome>
  regenerate(callback: SessionCallback): void
  /** Ends the session for good, on every node, and clears the cookie. Writing to it afterwards throws. */
  destroy(choice?: CommitChoice): Promise<CommitOutcome>
  destroy(callback: SessionCallback): void
  /** Forgets what changed and is not committed, and loads the session again. */
  reload(): Promise<void>
  reload(callback: SessionCallback): void
  /** Notes an access now, whatever `touchAfter` says. */
  touch(): Promise<void>
  touch(callback: SessionCallback): void
  /** Says whose session this is (null: nobody's), with a new id where that changes. The present value does nothing. */
  setPrincipal(principal: string | null, choice?: CommitChoice): Promise<CommitOutcome>
  setPrincipal(principal: string | null, callback: SessionCallback): void
  /** The sessions of this browser, by alias, where it can have several (`accounts`). */
  aliases(): Aliases
  /** An address for another of this browser's sessions; of this request's own address where none is given. */
  urlFor(alias: string, url?: string): string
  /** A plain copy of all attributes, for structuredClone, templates and logs. */
  toObject(): Record<string, unknown>
}

/** `req.session`: its methods, and an application's attributes, each of which may be absent. */
export type Session<T extends object = SessionData> = SessionMethods & { [K in keyof T]?: T[K] | undefined }

declare global {
  namespace Express {
    // Empty, as in @types/express: express-session declares its `session` here.
    interface Request {}
  }
}

/** With what express-session declares, where its types are part of a program as well: neither hides the other. */
type OnRequest = Express.Request extends { session: infer Theirs } ? Session & Theirs : Session

declare module 'node:http' {
  interface IncomingMessage {
    /** The session of this request (session-mesh). Setting it to null ends it; nothing else can be assigned. */
    get session(): OnRequest
    set session(value: Session | null)
  }
}
