/** A far backend that counts commits and stamps them, as Redis does, and whose events may come late. */
import type { SeenTokens, SessionBackend, SessionEvent } from '../../../src/backend/backend.js'
import { birthText } from '../../../src/backend/births.js'
import { CountedStamps } from '../../../src/backend/counted-stamps.js'
import type { MemoryBackend } from '../../../src/backend/memory/memory.js'
import type { SessionRef } from '../../../src/session/session.js'
import { seals } from './support.js'

export const stamps: CountedStamps = new CountedStamps(seals)

/** `deliver` decides when an event is told. */
export function counted(inner: MemoryBackend, deliver: (tell: () => void) => void): SessionBackend {
  const counts = new Map<string, number>()
  const countOf = (ref: SessionRef): number => counts.get(birthText(ref)) ?? 0
  const told = <T extends object>(ref: SessionRef, result: T, seen: SeenTokens | undefined): T & { seen?: SeenTokens } => {
    const raised = stamps.sealed(ref, countOf(ref), seen)
    return raised === undefined ? result : { ...result, seen: raised }
  }
  const done = <T extends object>(ref: SessionRef, result: T, seen: SeenTokens | undefined): T => {
    counts.set(birthText(ref), countOf(ref) + 1)
    return told(ref, result, seen)
  }
  const mine: Partial<SessionBackend> = {
    powers: { ...inner.powers, events: 'cluster', stamps: true },
    load: (id, seen) => {
      const found = inner.load(id)
      return found.state === 'found' ? told(found.ref, found, seen) : found
    },
    create: (delta, options) => {
      const created = inner.create(delta, options)
      return created.outcome === 'done' ? done(created.ref, created, options.seen) : created
    },
    save: (ref, delta, options) => {
      const saved = inner.save(ref, delta)
      return saved.outcome === 'gone' ? saved : done(ref, saved, options.seen)
    },
    rotate: (ref, delta, options) => {
      const rotated = inner.rotate(ref, delta)
      return rotated.outcome === 'gone' ? rotated : done(ref, rotated, options.seen)
    },
    exportOne: (ref) => {
      const session = inner.exportOne(ref)
      return session === undefined ? undefined : { ...session, commits: countOf(ref) }
    },
    importOne: (session) => {
      const outcome = inner.importOne(session)
      return outcome === 'imported' ? done(session.birth, [outcome], undefined)[0] ?? outcome : outcome
    },
    subscribe: (listener) => inner.subscribe((event: SessionEvent) => deliver(() => listener(event))),
  }
  return new Proxy<SessionBackend>(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(mine, name) ?? Reflect.get(target, name, target)
      return typeof value === 'function' ? (...args: unknown[]): unknown => Reflect.apply(value, target, args) : value
    },
  })
}
