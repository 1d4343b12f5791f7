import { IdCodec } from '../../../src/session/id.js'
import type { SessionId } from '../../../src/session/session.js'
import type { Note, TextKind } from './paper.js'

/** What tests give to sessions as a value that can be recognised. */
export const CANARY_VALUE = 'CanaryValueOfAnAttribute'
/** What values and secrets that are made to be recognised begin with. */
const MARKS = ['CanaryValue', 'CanarySecret'] as const
const ID_CHARACTERS = 48
/** Half an id is as bad as all of it; a part of this length cannot be there by chance. */
const PART_CHARACTERS = 16
/** A cookie of fewer different characters was made up by a test: `xxxxxxxx…`. */
const DIFFERENT_MIN = 10
const TOKEN = /[A-Za-z0-9_-]{16,}/g
/** Shorter secrets are words of tests of the check that refuses them. */
const SECRET_CHARACTERS_MIN = 16
const AROUND = 60

export interface Leak {
  readonly what: 'session id' | 'part of a session id' | 'secret' | 'attribute value'
  readonly kind: TextKind
  readonly from: string
  /** Where it stands, with the word itself hidden. */
  readonly excerpt: string
}

export interface Scan {
  readonly texts: number
  readonly secrets: number
  readonly ids: number
  readonly leaks: readonly Leak[]
}

interface Found {
  readonly what: Leak['what']
  readonly at: number
  readonly length: number
}

/** Searches all texts of a run for all words of the run. */
export function scan(notes: readonly Note[]): Scan {
  const words = (type: 'secret' | 'id'): string[] => [
    ...new Set(notes.flatMap((note) => (note.type === type ? [note.word] : []))),
  ]
  const secrets = words('secret').filter((secret) => secret.length >= SECRET_CHARACTERS_MIN)
  const ids = words('id').filter((id) => new Set(id).size >= DIFFERENT_MIN)
  const texts = notes.filter((note) => note.type === 'text')
  const search = [searchWords(secrets), searchIds(secrets), searchParts(ids)]
  const leaks = texts.flatMap((note) => {
    const found = first(search, note.text)
    return found === undefined ? [] : [{ what: found.what, kind: note.kind, from: note.from, excerpt: masked(note.text, found) }]
  })
  return { texts: texts.length, secrets: secrets.length, ids: ids.length, leaks }
}

type Search = (text: string) => Found | undefined

function first(search: readonly Search[], text: string): Found | undefined {
  for (const one of search) {
    const found = one(text)
    if (found !== undefined) return found
  }
  return undefined
}

function searchWords(secrets: readonly string[]): Search {
  const words = [
    ...MARKS.map((word) => ({ word, what: word === 'CanarySecret' ? 'secret' : 'attribute value' }) as const),
    ...secrets.map((word) => ({ word, what: 'secret' }) as const),
  ]
  return (text) => {
    const there = words.find(({ word }) => text.includes(word))
    return there && { what: there.what, at: text.indexOf(there.word), length: there.word.length }
  }
}

/** An id of ours proves itself by its tag, so nothing else is taken for one, and none has to be known before. */
function searchIds(secrets: readonly string[]): Search {
  const codec = new IdCodec(secrets, (bytes) => new Uint8Array(bytes))
  return (text) => {
    for (const { 0: token, index } of text.matchAll(TOKEN)) {
      for (let at = 0; at + ID_CHARACTERS <= token.length; at++) {
        const id = token.slice(at, at + ID_CHARACTERS) as SessionId
        if (codec.parse(id) !== undefined) return { what: 'session id', at: index + at, length: ID_CHARACTERS }
      }
    }
    return undefined
  }
}

/** Parts of what browsers were given, wherever a part begins. */
function searchParts(ids: readonly string[]): Search {
  const parts = new Set(
    ids.flatMap((id) => Array.from({ length: Math.floor(id.length / PART_CHARACTERS) }, (_, i) => partOf(id, i * PART_CHARACTERS))),
  )
  return (text) => {
    for (const { 0: token, index } of text.matchAll(TOKEN)) {
      for (let at = 0; at + PART_CHARACTERS <= token.length; at++) {
        if (!parts.has(partOf(token, at))) continue
        return { what: 'part of a session id', at: index + at, length: PART_CHARACTERS }
      }
    }
    return undefined
  }
}

function partOf(token: string, at: number): string {
  return token.slice(at, at + PART_CHARACTERS)
}

/** Where a word stands, without it, and without anything near it that could be another. */
function masked(text: string, { what, at, length }: Found): string {
  const sign = `‹${what}›`
  const safe = text.replaceAll(text.slice(at, at + length), sign).replace(TOKEN, '‹…›')
  const middle = safe.indexOf(sign)
  return safe.slice(Math.max(0, middle - AROUND), middle + sign.length + AROUND).replace(/\s+/g, ' ')
}
