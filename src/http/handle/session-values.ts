import { LimitError } from '../../errors.js'
import { RegisterKind, type Attributes, type AttributeWrite } from '../../session/session.js'
import { areSameBytes, areTexts, decodeValue, encodeValue } from '../../session/value.js'
import type { SessionLimits } from '../options.js'
import type { MergeKinds } from './merge-kinds.js'
import { asMerging, assertMergeable, mergeWrite, valueAlone } from './merge-write.js'

/** An attribute that a request has read or written. */
interface Touched {
  /** Undefined: removed. */
  readonly value: unknown
  /** Set by the application. It may be what is stored: that shows when changes are looked for. */
  readonly assigned: boolean
  /** An object that was handed out: the application may have changed it in place. */
  readonly watched: boolean
}

export interface ValuesOptions {
  /** Finds changes inside objects that were handed out. */
  readonly detectMutations: boolean
  readonly merge: MergeKinds
}

/** A text or a number of up to so many bytes is read again sooner than it is noted. An object has to stay the same one. */
const SHORT_BYTES = 256

const NO_ATTRIBUTES: Attributes = new Map<string, Uint8Array>()
const NO_WRITES: readonly AttributeWrite[] = []
const NONE: ReadonlyMap<string, null> = new Map<string, null>()

/**
 * The attributes of one session as one request sees them: decoded when they are read, encoded when they are committed.
 * What was handed out is compared with what is stored, so a change in place is found without any setter.
 */
export class SessionValues {
  readonly #detectMutations: boolean
  readonly #kinds: MergeKinds
  readonly #onUndecodable: () => void
  #stored: Attributes
  /** What this request has committed since; null: removed. */
  #committed: Map<string, Uint8Array | null> | undefined
  /** What it has committed last: mostly nobody asks any more. */
  #latest = NO_WRITES
  /** Of attributes that merge: the values they will have once the last changes are committed. */
  #merging: Map<string, Uint8Array | null> | undefined
  #touched: Map<string, Touched> | undefined
  /** Something was assigned, or handed out in a form that can be changed in place. */
  #mayDiffer = false

  constructor(stored: Attributes | undefined, options: ValuesOptions, onUndecodable: () => void) {
    this.#stored = stored ?? NO_ATTRIBUTES
    this.#detectMutations = options.detectMutations
    this.#kinds = options.merge
    this.#onUndecodable = onUndecodable
  }

  /** Whether something may have changed: not where all that happened is that texts and numbers were read. */
  get mayDiffer(): boolean {
    return this.#mayDiffer
  }

  get(name: string): unknown {
    const touched = this.#touched?.get(name)
    if (touched !== undefined) return touched.value
    const bytes = this.#bytesOf(name)
    if (bytes === undefined) return undefined
    const decoded = decodeValue(bytes)
    if (!decoded.ok) {
      this.#onUndecodable()
      return undefined
    }
    const value = asMerging(this.#kinds.get(name), decoded.value)
    if (typeof value === 'object' || bytes.length > SHORT_BYTES) this.#touch(name, value, false)
    return value
  }

  /** What the backend holds under a name, for all this request knows: without what is not committed. */
  stored(name: string): unknown {
    const bytes = this.#bytesOf(name)
    const decoded = bytes === undefined ? undefined : decodeValue(bytes)
    return decoded?.ok === true ? decoded.value : undefined
  }

  has(name: string): boolean {
    const touched = this.#touched?.get(name)
    return touched === undefined ? this.#bytesOf(name) !== undefined : touched.value !== undefined
  }

  /** Undefined removes. Throws AttributeError for what cannot merge as the attribute is to. */
  set(name: string, value: unknown): void {
    if (value !== undefined) assertMergeable(name, this.#kinds.get(name) ?? 'lww', value)
    this.#touch(name, value, true)
  }

  /** Names of all attributes: the stored ones in their order, then new ones in theirs. */
  names(): string[] {
    const names: string[] = []
    for (const name of this.#stored.keys()) if (this.has(name)) names.push(name)
    for (const name of this.#written?.keys() ?? []) if (!this.#stored.has(name) && this.has(name)) names.push(name)
    for (const name of this.#touched?.keys() ?? []) {
      if (this.#bytesOf(name) === undefined && this.has(name) && !names.includes(name)) names.push(name)
    }
    return names
  }

  /** What a commit must write. Throws AttributeError for a value that cannot be kept; then nothing is written. */
  changes(): readonly AttributeWrite[] {
    if (this.#touched === undefined || !this.#mayDiffer) return NO_WRITES
    let writes: AttributeWrite[] | undefined
    for (const [name, touched] of this.#touched) {
      if (!touched.assigned && !touched.watched) continue
      const write = this.#changeOf(name, touched.value)
      if (write !== undefined) (writes ??= []).push(write)
    }
    return writes ?? NO_WRITES
  }

  /** Throws LimitError when the session with `writes` would be larger than allowed. */
  assertWithin(limits: SessionLimits, writes: readonly AttributeWrite[]): void {
    let attributes = 0
    let bytes = 0
    const count = (name: string, value: Uint8Array | null | undefined, times: 1 | -1): void => {
      if (value === null || value === undefined) return
      attributes += times
      bytes += times * (name.length + value.length)
    }
    const stored = this.#stored
    const written = this.#written
    if (written === undefined && stored.bytes !== undefined) {
      attributes = stored.size
      bytes = stored.bytes
    } else for (const name of stored.keys()) count(name, this.#bytesOf(name), 1)
    for (const [name, value] of written ?? NONE) if (!stored.has(name)) count(name, value, 1)
    const isNew = attributes === 0
    for (const write of writes) {
      if (!isNew) count(write.name, this.#bytesOf(write.name), -1)
      count(write.name, this.#valueOf(write), 1)
    }
    if (attributes <= limits.attributes && bytes <= limits.bytes) return
    const names = writes.map(({ name }) => `session.${name}`).slice(0, 5).join(', ')
    if (attributes > limits.attributes) {
      throw new LimitError(`${names}: the session would have ${attributes} attributes, at most ${limits.attributes}`)
    }
    throw new LimitError(`${names}: the session would take ${bytes} bytes, at most ${limits.bytes}`)
  }

  /** The writes are in the backend: from now on changes are what differs from them. */
  commit(writes: readonly AttributeWrite[]): void {
    if (writes.length === 0) return
    if (this.#latest.length > 0) this.#fold()
    this.#latest = writes
  }

  /** Forgets everything but `writes`, which become assignments again: what a session that ended leaves behind. */
  keepOnly(writes: readonly AttributeWrite[]): void {
    this.#stored = NO_ATTRIBUTES
    this.#committed = undefined
    this.#latest = NO_WRITES
    const before = this.#touched
    this.#touched = undefined
    this.#mayDiffer = false
    for (const write of writes) {
      const { name, kind, value } = write
      if (value === null) continue
      const alone = kind === RegisterKind.lww ? before?.get(name)?.value : valueAlone(write)
      if (kind !== RegisterKind.lww) this.#merging?.set(name, encodeValue(alone, name))
      this.set(name, alone)
    }
  }

  toObject(): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    // A backend that keeps the rules has no such name; setting it would change a prototype.
    for (const name of this.names()) if (name !== '__proto__') object[name] = this.get(name)
    return object
  }

  /** What a commit has to write of one attribute that may have changed. */
  #changeOf(name: string, now: unknown): AttributeWrite | undefined {
    const stored = this.#bytesOf(name)
    const kind = this.#kinds.get(name)
    if (kind !== undefined) {
      const merging = mergeWrite(name, kind, now, stored)
      if (merging !== undefined) (this.#merging ??= new Map<string, Uint8Array | null>()).set(name, merging.value)
      return merging?.write
    }
    const value = now === undefined ? null : encodeValue(now, name)
    return isSame(value, stored) ? undefined : { name, kind: RegisterKind.lww, value }
  }

  #touch(name: string, value: unknown, assigned: boolean): void {
    this.#touched ??= new Map<string, Touched>()
    const watched = this.#detectMutations && typeof value === 'object' && value !== null
    this.#touched.set(name, { value, assigned, watched })
    if (assigned || watched) this.#mayDiffer = true
  }

  /** What an attribute is for this request once a write of it is committed. */
  #valueOf({ name, kind, value }: AttributeWrite): Uint8Array | null {
    return kind === RegisterKind.lww ? value : (this.#merging?.get(name) ?? null)
  }

  get #written(): ReadonlyMap<string, Uint8Array | null> | undefined {
    if (this.#latest.length > 0) this.#fold()
    return this.#committed
  }

  #fold(): void {
    const committed = (this.#committed ??= new Map<string, Uint8Array | null>())
    for (const write of this.#latest) committed.set(write.name, this.#valueOf(write))
    this.#latest = NO_WRITES
  }

  #bytesOf(name: string): Uint8Array | undefined {
    const committed = this.#written?.get(name)
    return committed === undefined ? this.#stored.get(name) : (committed ?? undefined)
  }
}

/**
 * Whether a value is what is stored. Where the bytes differ, another encoder may have written the same value: what
 * counts is what this one makes of it.
 */
function isSame(value: Uint8Array | null, stored: Uint8Array | undefined): boolean {
  if (value === null || stored === undefined) return value === null && stored === undefined
  if (areSameBytes(value, stored)) return true
  if (areTexts(value, stored)) return false
  const decoded = decodeValue(stored)
  return decoded.ok && decoded.value !== undefined && Buffer.compare(value, encodeValue(decoded.value, '')) === 0
}
