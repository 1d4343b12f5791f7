/** What both ways to keep sessions are asked to do, and browsers that do it. */
import type { EventQueue } from '../../../src/simulator/queue.js'

export type Values = ReadonlyMap<string, string>

/** What a browser carries from answer to answer; only the store that made it can read it. */
export interface Cookie {
  readonly session: number
}

export interface Answer<C extends Cookie> {
  readonly cookie: C
  readonly values: Values
}

/** A way to keep sessions, in virtual time: each call answers later, or at once. */
export interface Store<C extends Cookie> {
  create(node: number, session: number, done: (answer: Answer<C>) => void): void
  read(node: number, cookie: C, done: (answer: Answer<C>) => void): void
  write(node: number, cookie: C, change: Change, done: (answer: Answer<C>) => void): void
  /** Every copy of every session. */
  copies(): readonly ReadonlyMap<number, Values>[]
}

export interface Change {
  readonly name: string
  readonly value: string
}

/** One request of a browser. */
export interface Step {
  readonly node: number
  readonly thinkMs: number
  /** Absent: it only reads. */
  readonly change?: Change | undefined
}

/** How one call went. */
export interface Visit {
  readonly session: number
  readonly node: number
  readonly kind: 'create' | 'read' | 'write'
  readonly at: number
  readonly waitedMs: number
  /** Of a write: what it changed. */
  readonly changed: string | undefined
  /** A read that lacked something this browser had written. */
  readonly stale: boolean
}

const MEANWHILE_MS = 60_000

/** Plays all browsers at once, each with a session of its own and one request at a time. */
export function browse<C extends Cookie>(
  store: Store<C>,
  queue: EventQueue,
  browsers: readonly (readonly Step[])[],
): readonly Visit[] {
  const visits: Visit[] = []
  const open = new Set(browsers.keys())
  browsers.forEach((steps, session) => {
    const written = new Map<string, string>()
    const visit = (call: Pick<Visit, 'kind' | 'node' | 'at'>, stale = false, changed?: string): void => {
      visits.push({ ...call, session, waitedMs: queue.now - call.at, changed, stale })
    }
    const lacks = (values: Values): boolean => [...written].some(([name, value]) => values.get(name) !== value)
    const go = (index: number, cookie: C): void => {
      const step = steps[index]
      if (step === undefined) {
        open.delete(session)
        return
      }
      queue.after(step.thinkMs, () => {
        const at = queue.now
        const { node, change } = step
        store.read(node, cookie, (read) => {
          visit({ kind: 'read', node, at }, lacks(read.values))
          if (change === undefined) return go(index + 1, read.cookie)
          const since = queue.now
          store.write(node, read.cookie, change, (answer) => {
            written.set(change.name, change.value)
            visit({ kind: 'write', node, at: since }, false, change.name)
            go(index + 1, answer.cookie)
          })
        })
      })
    }
    const first = steps[0]?.node ?? 0
    const at = queue.now
    store.create(first, session, ({ cookie }) => {
      visit({ kind: 'create', node: first, at })
      go(0, cookie)
    })
  })
  const until = queue.now + MEANWHILE_MS
  while (open.size > 0 && queue.now < until) queue.runUntil(queue.now + 100)
  if (open.size > 0) throw new Error(`${open.size} browsers were not answered within a minute`)
  return visits
}

/** The sessions after the same steps one after the other, with nothing in between. */
export function outcome(browsers: readonly (readonly Step[])[]): ReadonlyMap<number, Values> {
  return new Map(
    browsers.map((steps, session) => {
      const changes = steps.flatMap(({ change }) => (change === undefined ? [] : [[change.name, change.value] as const]))
      return [session, new Map(changes)]
    }),
  )
}
