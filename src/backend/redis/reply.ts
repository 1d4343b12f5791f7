/** Sessions as the scripts answer them. */
import type { Attributes, SessionRecord, SessionRef } from '../../session/session.js'
import type { PortableRegister, PortableSession } from '../backend.js'
import { portableRegister } from '../merged-value.js'
import { MAX_IDLE, PRINCIPAL } from './keys.js'
import { mergedOf } from './merging.js'
import { birthOf, fieldsOf, listOf, numberOf, textOf, unexpected } from './reply-parts.js'
import { fromStored } from './stored-value.js'

const ATTRIBUTE = 'sessionAttr:'
const REGISTER = 'r:'
const INCLUDED = 'v:'
const MADE = 'm:'

/** A session as it was found. */
export interface Found {
  readonly birth: SessionRef
  readonly record: SessionRecord
  /** Commits so far. */
  readonly version: number
}

/** The answer of lua/reads.ts to a load or a read. */
export type Viewed =
  | { readonly state: 'found'; readonly found: Found; readonly now: number }
  | { readonly state: 'alias'; readonly birth: SessionRef; readonly leftMs: number }
  | { readonly state: 'none'; readonly why: 'unknown' | 'rotated' | 'gone' }

export function viewedOf(reply: unknown): Viewed {
  const [state, first, second, third] = listOf(reply)
  switch (textOf(state)) {
    case 'found':
      return { state: 'found', found: foundOf(fieldsOf(second), textOf(third)), now: numberOf(first) }
    case 'alias':
      return { state: 'alias', birth: birthOf(first), leftMs: numberOf(second) }
    case 'none': {
      const why = textOf(first)
      return { state: 'none', why: why === 'rotated' || why === 'gone' ? why : 'unknown' }
    }
    default:
      throw unexpected(state)
  }
}

/** What the key of an id says by itself; undefined where that leads on to another. `now`: what time Redis has. */
export function plainlyViewed(reply: unknown, now: number): Viewed | undefined {
  const fields = fieldsOf(reply)
  const why = fields.get('why')?.toString()
  if (why === 'alias') return undefined
  if (why === undefined && fields.has('creationTime')) return { state: 'found', found: foundOf(fields), now }
  return { state: 'none', why: why === 'rotated' || why === 'gone' ? why : 'unknown' }
}

/** `since`: when the session became its principal's, in hybrid time; empty where it is nobody's, or not known. */
function foundOf(fields: ReadonlyMap<string, Buffer>, since = fields.get('principalSince')?.toString() ?? ''): Found {
  return {
    birth: birthOf(fields.get('birth')),
    version: numberOf(fields.get('version') ?? '0'),
    record: {
      createdAt: numberOf(fields.get('creationTime')),
      lastAccessedAt: numberOf(fields.get('lastAccessedTime')),
      maxIdleMs: maxIdleOf(fields),
      maxLifeMs: numberOf(fields.get('maxLifeMs') ?? 'inf'),
      principal: fields.get('principal')?.toString(),
      principalSince: since === '' ? undefined : Number(since),
      attributes: new StoredAttributes(fields),
    },
  }
}

function maxIdleOf(fields: ReadonlyMap<string, Buffer>): number {
  const exact = fields.get('maxIdleMs')
  if (exact !== undefined) return numberOf(exact)
  const seconds = numberOf(fields.get('maxInactiveInterval') ?? '-1')
  return seconds < 0 ? Infinity : seconds * 1_000
}

/** Values stay as they are stored until somebody asks for them. */
class StoredAttributes implements Attributes {
  readonly #fields: ReadonlyMap<string, Buffer>
  #names: readonly string[] | undefined

  /** `fields`: of the whole session. */
  constructor(fields: ReadonlyMap<string, Buffer>) {
    this.#fields = fields
  }

  get size(): number {
    return this.keys().length
  }

  get(name: string): Uint8Array | undefined {
    const stored = this.#fields.get(ATTRIBUTE + name)
    return stored === undefined ? undefined : fromStored(stored)
  }

  has(name: string): boolean {
    return this.#fields.has(ATTRIBUTE + name)
  }

  keys(): readonly string[] {
    this.#names ??= Array.from(this.#fields.keys())
      .filter((field) => field.startsWith(ATTRIBUTE))
      .map((field) => field.slice(ATTRIBUTE.length))
    return this.#names
  }
}

/** What the export script answers, as any backend can import it. */
export function portableOf(birth: SessionRef, reply: unknown): PortableSession | undefined {
  const [state, now, session, merged] = listOf(reply)
  if (textOf(state) !== 'found') return undefined
  const fields = fieldsOf(session)
  if (!fields.has('creationTime')) return undefined
  const { record, version: commits } = foundOf(fields)
  const marks = fieldsOf(merged)
  const isOver = record.lastAccessedAt + record.maxIdleMs <= numberOf(now)
  if (isOver) return undefined
  return {
    birth,
    createdAt: record.createdAt,
    maxLifeMs: record.maxLifeMs,
    touchedAt: record.lastAccessedAt,
    ids: idsOf(marks.get('ids')?.toString() ?? ''),
    registers: registersOf(marks, record),
    version: included(marks),
    highest: numberOf(marks.get('highest') ?? '0'),
    commits,
  }
}

function registersOf(marks: ReadonlyMap<string, Buffer>, record: SessionRecord): readonly PortableRegister[] {
  const registers: PortableRegister[] = []
  for (const [field, mark] of marks) {
    if (!field.startsWith(REGISTER)) continue
    const name = field.slice(REGISTER.length)
    const [hlc = 0, actor = 0, counter = 0, kind = 0] = mark.toString().split(' ').map(Number)
    const made = mergedOf(marks.get(MADE + name))
    registers.push(portableRegister({ name, kind, value: made ?? valueOf(name, record), hlc, dot: { actor, counter } }))
  }
  return registers.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function valueOf(name: string, record: SessionRecord): PortableRegister['value'] {
  if (name === PRINCIPAL) return record.principal ?? null
  if (name === MAX_IDLE) return record.maxIdleMs
  return record.attributes.get(name) ?? null
}

function included(marks: ReadonlyMap<string, Buffer>): readonly SessionRef[] {
  const version: SessionRef[] = []
  for (const [field, counter] of marks) {
    if (field.startsWith(INCLUDED)) version.push({ actor: Number(field.slice(INCLUDED.length)), counter: numberOf(counter) })
  }
  return version
}

function idsOf(text: string): PortableSession['ids'] {
  return text.split(';').map((entry) => {
    const [hash = '', actor = '', counter = ''] = entry.split(' ')
    return { hash, dot: { actor: Number(actor), counter: Number(counter) } }
  })
}
