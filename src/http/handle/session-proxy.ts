/**
 * The face of a session: an object that reads, spreads, lists and prints as the plain object of its attributes, with
 * the methods of SessionMethods as if they were inherited.
 */
import { AttributeError } from '../../errors.js'
import { isAttributeName } from '../../session/value.js'
import { isReserved, type MethodName, type PropertyName } from './reserved-names.js'
import type { SessionHandle } from './session-handle.js'
import type { CommitChoice, CommitOutcome, Session, SessionCallback } from './session-types.js'

const HANDLE = Symbol('session handle')

type Choice = CommitChoice | SessionCallback | undefined

interface Face {
  readonly [HANDLE]: SessionHandle
}

/** What can be called on a session. */
const METHODS: Readonly<Record<MethodName, (this: Face, ...args: never[]) => unknown>> = {
  commit(this: Face, choice: Choice) {
    return answer(choice, (given) => this[HANDLE].operations.commit(this[HANDLE], given))
  },
  rotate(this: Face, choice: Choice) {
    return answer(choice, (given) => this[HANDLE].operations.rotate(this[HANDLE], given))
  },
  regenerate(this: Face, choice: Choice) {
    return answer(choice, (given) => this[HANDLE].operations.regenerate(given))
  },
  destroy(this: Face, choice: Choice) {
    return answer(choice, (given) => this[HANDLE].operations.destroy(this[HANDLE], given))
  },
  setPrincipal(this: Face, principal: unknown, choice: Choice) {
    return answer(choice, (given) => setPrincipal(this[HANDLE], principal, given))
  },
  reload(this: Face, choice: Choice) {
    return answer(choice, () => this[HANDLE].operations.reload(this[HANDLE]))
  },
  touch(this: Face, choice: Choice) {
    return answer(choice, () => this[HANDLE].operations.touch(this[HANDLE]))
  },
  toObject(this: Face) {
    return this[HANDLE].toObject()
  },
  aliases(this: Face) {
    return this[HANDLE].operations.aliases(this[HANDLE])
  },
  urlFor(this: Face, alias: unknown, url: unknown) {
    if (typeof alias !== 'string' || (url !== undefined && typeof url !== 'string')) {
      throw new TypeError('session.urlFor(alias, url?): both are texts')
    }
    return this[HANDLE].operations.urlFor(alias, url)
  },
}

/** What can be read from a session, beside its attributes. */
const PROPERTIES: Readonly<Record<PropertyName, (handle: SessionHandle) => unknown>> = {
  id: (handle) => handle.bound?.id,
  isNew: (handle) => handle.isNew,
  createdAt: (handle) => handle.createdAt,
  lastAccessedAt: (handle) => handle.lastAccessedAt,
  ttl: (handle) => handle.ttl,
  cookie: (handle) => handle.mount.cookie,
}

/** What reading a reserved name gives. */
const RESERVED: ReadonlyMap<string, (handle: SessionHandle) => unknown> = new Map([
  ...Object.entries(PROPERTIES),
  ...Object.entries(METHODS).map(([name, method]) => [name, () => method] as const),
  ['save', () => METHODS.commit],
])

const HANDLER: ProxyHandler<SessionHandle> = {
  get(handle, name) {
    if (typeof name === 'symbol') return symbolOf(handle, name)
    const reserved = RESERVED.get(name)
    if (reserved !== undefined) return reserved(handle)
    const value = handle.values.get(name)
    return value === undefined && !handle.values.has(name) ? inherited(name) : value
  },

  set(handle, name, value: unknown) {
    if (name === 'ttl') {
      handle.ttl = asNumber(value)
      return true
    }
    handle.set(attributeName(name), assertKeepable(String(name), value))
    return true
  },

  deleteProperty(handle, name) {
    if (typeof name === 'string' && isAttributeName(name) && !isReserved(name)) handle.set(name, undefined)
    return true
  },

  has(handle, name) {
    if (typeof name === 'symbol') return name in Object.prototype
    return isReserved(name) || name in Object.prototype || handle.values.has(name)
  },

  ownKeys(handle) {
    return handle.values.names()
  },

  getOwnPropertyDescriptor(handle, name) {
    if (typeof name === 'symbol' || isReserved(name) || !handle.values.has(name)) return undefined
    return { value: handle.values.get(name), writable: true, enumerable: true, configurable: true }
  },

  defineProperty(handle, name, descriptor) {
    if (descriptor.get !== undefined || descriptor.set !== undefined) {
      throw new AttributeError(String(name), `session.${String(name)} cannot be an accessor, only a value`)
    }
    handle.set(attributeName(name), assertKeepable(String(name), descriptor.value))
    return true
  },

  getPrototypeOf() {
    return Object.prototype
  },

  setPrototypeOf(_, prototype) {
    return prototype === Object.prototype
  },

  preventExtensions() {
    return false
  },
}

/** What an application gets for a handle, as `req.session`: the same object each time. */
export function faceOf(handle: SessionHandle): Session {
  // The traps give the handle the face of a Session; the compiler cannot see through them.
  handle.face ??= new Proxy(handle, HANDLER) as unknown as Session
  return handle.face
}

/** What is behind the face of a session; undefined for anything else. */
export function handleOf(session: object): SessionHandle | undefined {
  // The symbol is known here alone: what answers to it is a face of ours.
  return (session as Partial<Face>)[HANDLE]
}

function symbolOf(handle: SessionHandle, name: symbol): unknown {
  return name === HANDLE ? handle : Reflect.get(Object.prototype, name)
}

function inherited(name: string): unknown {
  return Reflect.get(Object.prototype, name)
}

function attributeName(name: string | symbol): string {
  if (typeof name === 'symbol') throw new AttributeError(String(name), `${String(name)} cannot name an attribute`)
  if (isReserved(name)) {
    throw new AttributeError(name, `session.${name} is reserved: it cannot be set, and no attribute can have its name`)
  }
  return name
}

/** Throws at once for what can be seen at once; the rest shows when it is encoded, at the commit. */
function assertKeepable(name: string, value: unknown): unknown {
  if (typeof value !== 'function' && typeof value !== 'symbol') return value
  throw new AttributeError(name, `session.${name} cannot be kept: it is a ${typeof value}`)
}

function asNumber(value: unknown): number {
  if (typeof value === 'number') return value
  throw new TypeError(`session.ttl: a ${typeof value} is not a number of milliseconds`)
}

function setPrincipal(handle: SessionHandle, principal: unknown, choice: CommitChoice): CommitOutcome | Promise<CommitOutcome> {
  if (principal !== null && (typeof principal !== 'string' || !isAttributeName(principal))) {
    throw new TypeError('session.setPrincipal: not null, nor a string of 1 to 256 characters without control characters')
  }
  handle.assertWritable()
  if ((handle.principal ?? null) === principal) return 'done'
  return handle.operations.rotate(handle, choice, principal)
}

/** Calls back when a callback was given, else returns a promise; what is thrown is told either way. */
function answer<T>(choice: Choice, act: (choice: CommitChoice) => T | Promise<T>): Promise<T> | undefined {
  if (typeof choice !== 'function') return attempt(act, choice ?? {})
  attempt(act, {}).then(
    () => process.nextTick(choice),
    (error: unknown) => process.nextTick(choice, error),
  )
  return undefined
}

async function attempt<T>(act: (choice: CommitChoice) => T | Promise<T>, choice: CommitChoice): Promise<T> {
  return await act(choice)
}
