import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { hashId, IdCodec, isWellFormed } from '../../src/session/id.js'
import type { SessionId } from '../../src/session/session.js'

const OLD = 'b0Q1hZk6s2vYx8uJ3nWc7mEa5tRd9pLf'
const NEW = 'Kf4Xq7Vw1zNs6Cj9Gt2By5Hu8Mp3Ld0R'
const dot = { actor: 0x1f_ffff_ffff_ffff, counter: 0xffff_ffff_ffff }
const codec = (...secrets: string[]): IdCodec => new IdCodec(secrets, randomBytes)

describe('an id', () => {
  test('tells which event made it, to who knows the secret', () => {
    const id = codec(OLD).make(dot, 513)

    expect(isWellFormed(id)).toBe(true)
    expect(codec(OLD).parse(id)).toEqual({ actorTag: 0xffff_ffff, counter: dot.counter, shard: 513 })
    expect(codec(NEW).parse(id)).toBeUndefined()
  })

  test('of an old secret is accepted as long as that is in the list; new ones are made by the first', () => {
    const old = codec(OLD).make(dot)
    const both = codec(NEW, OLD)

    expect(both.parse(old)).toMatchObject({ counter: dot.counter })
    expect(codec(OLD).parse(both.make(dot))).toBeUndefined()
    expect(codec(NEW).parse(both.make(dot))).toMatchObject({ counter: dot.counter })
  })

  test('that was changed in any character is none of ours', () => {
    const id = codec(OLD).make(dot)

    for (let at = 0; at < id.length; at++) {
      const changed = id.slice(0, at) + (id[at] === 'A' ? 'B' : 'A') + id.slice(at + 1)
      expect(codec(OLD).parse(changed as SessionId), `character ${at}`).toBeUndefined()
    }
  })

  test('is another one every time, and its hash says nothing of it', () => {
    const ids = Array.from({ length: 1_000 }, () => codec(OLD).make(dot))

    expect(new Set(ids).size).toBe(1_000)
    expect(new Set(ids.map((id) => id.slice(24, 40))).size).toBe(1_000)
    expect(hashId(ids[0] ?? '')).toMatch(/^[\w-]{22}$/)
    expect(ids[0]).not.toContain(hashId(ids[0] ?? '').slice(0, 6))
  })
})
