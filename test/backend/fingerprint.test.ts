import { expect, test } from 'vitest'
import type { PortableSession } from '../../src/backend/backend.js'
import { Fingerprint } from '../../src/backend/fingerprint.js'

const dot = { actor: 1, counter: 1 }
const register = (name: string, value: string): PortableSession['registers'][number] => ({
  name,
  kind: 0,
  value: Buffer.from(value),
  hlc: 5,
  dot,
})

function session(counter: number, names: readonly string[]): PortableSession {
  const birth = { actor: 1, counter }
  return {
    birth,
    createdAt: 0,
    maxLifeMs: Infinity,
    touchedAt: counter,
    ids: [{ hash: 'b', dot }, { hash: 'a', dot }],
    registers: names.map((name) => register(name, name)),
    version: [dot],
    highest: 5,
  }
}

function fingerprint(sessions: readonly PortableSession[]): string {
  const print = new Fingerprint()
  for (const each of sessions) print.add(each)
  return print.toString()
}

test('equal content has one fingerprint, in whatever order sessions and attributes come', () => {
  const one = fingerprint([session(1, ['a', 'b']), session(2, ['c'])])

  expect(fingerprint([session(2, ['c']), session(1, ['b', 'a'])])).toBe(one)
  expect(fingerprint([session(1, ['a', 'b'])])).not.toBe(one)
  expect(fingerprint([session(1, ['a', 'c']), session(2, ['c'])])).not.toBe(one)
})

test('a later access does not change it', () => {
  expect(fingerprint([{ ...session(1, ['a']), touchedAt: 9 }])).toBe(fingerprint([session(1, ['a'])]))
})
