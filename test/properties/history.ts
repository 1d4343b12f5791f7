/** Histories for properties: what may happen to a mesh, drawn by fast-check, and what must hold in every one of them. */
import fc from 'fast-check'
import type { Event } from '../../src/replica/events.js'
import type { Replica } from '../../src/replica/replica.js'
import type { SessionState } from '../../src/replica/sessions/session-state.js'
import type { Intent } from '../../src/session/merged.js'
import { sameDot, type Dot } from '../../src/session/session.js'
import { canonical, Mesh, text, textOf } from '../replica/mesh.js'
import { outcomes, setText } from './merge-oracle.js'

export type Step =
  | { readonly type: 'create' | 'flush' | 'crash' | 'restart'; readonly node: number }
  | { readonly type: 'write'; readonly node: number; readonly session: number; readonly name: string; readonly remove: boolean }
  | { readonly type: 'merge'; readonly node: number; readonly session: number; readonly name: string; readonly write: Merging }
  | { readonly type: 'rotate' | 'kill'; readonly node: number; readonly session: number }
  | { readonly type: 'deliver' | 'lose' | 'double'; readonly at: number }
  | { readonly type: 'cut' | 'connect'; readonly a: number; readonly b: number }
  | { readonly type: 'tick'; readonly ms: number }

/** One write of an attribute that merges: what is asked for, or its removal. */
type Merging = { readonly kind: number; readonly value: Intent | null }

const byte = fc.nat(4).map((n) => Uint8Array.of(n))
const bytes = fc.uniqueArray(byte, { selector: String, maxLength: 2 }).map((all) => all.sort((a, b) => Number(a[0]) - Number(b[0])))
const counter = fc.record({ type: fc.constant('counter' as const), add: fc.integer({ min: -5, max: 5 }) })
const max = fc.record({ type: fc.constant('max' as const), value: fc.integer({ min: -9, max: 9 }) })
const set = fc
  .record({ type: fc.constant('set' as const), add: bytes, remove: bytes })
  .map(({ type, add, remove }) => ({ type, add, remove: remove.filter(([one]) => !add.some(([other]) => one === other)) }))

const ofKind = (kind: number, value: fc.Arbitrary<Intent>): fc.Arbitrary<Merging> => fc.record({ kind: fc.constant(kind), value })
const intents = [ofKind(1, counter), ofKind(2, max), ofKind(3, set)] as const
const reset: fc.Arbitrary<Merging> = fc.record({ kind: fc.constantFrom(0, 1, 2, 3), value: fc.constant(null) })

/** `sum`, `top` and `tags` are of one kind for ever and never removed; `mixed` is of all kinds, removed now and then. */
const mergingWrite = fc.oneof(
  { weight: 3, arbitrary: fc.record({ name: fc.constant('sum'), write: intents[0] }) },
  { weight: 1, arbitrary: fc.record({ name: fc.constant('top'), write: intents[1] }) },
  { weight: 4, arbitrary: fc.record({ name: fc.constant('tags'), write: intents[2] }) },
  { weight: 4, arbitrary: fc.record({ name: fc.constantFrom('mixed', 'other'), write: fc.oneof(...intents, reset) }) },
)

const node = fc.nat(4)
const session = fc.nat(5)

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ type: fc.constant('create' as const), node }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('write' as const),
      node,
      session,
      name: fc.constantFrom('a', 'b', 'c'),
      remove: fc.boolean(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.tuple(node, session, mergingWrite).map(([at, of, write]): Step => {
      return { type: 'merge', node: at, session: of, ...write }
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('rotate' as const), node, session }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('kill' as const), node, session }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('flush' as const), node }) },
  { weight: 20, arbitrary: fc.record({ type: fc.constant('deliver' as const), at: fc.nat(12) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('lose' as const, 'double' as const), at: fc.nat(12) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('cut' as const), a: node, b: node }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('connect' as const), a: node, b: node }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('crash' as const, 'restart' as const), node }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('tick' as const), ms: fc.constantFrom(100, 300, 6_000) }) },
)

/** 3 to 5 replicas and at least 50 steps, among them a kill, a rotation and a cut. */
export const history: fc.Arbitrary<{ readonly size: number; readonly steps: readonly Step[] }> = fc
  .record({
    size: fc.integer({ min: 3, max: 5 }),
    steps: fc.array(step, { minLength: 50, maxLength: 120 }),
    kill: fc.record({ type: fc.constant('kill' as const), node, session }),
    rotate: fc.record({ type: fc.constant('rotate' as const), node, session }),
    cut: fc.record({ type: fc.constant('cut' as const), a: fc.constant(0), b: fc.constantFrom(1, 2) }),
    at: fc.tuple(fc.nat(49), fc.nat(49), fc.nat(49)),
  })
  .map(({ size, steps, kill, rotate, cut, at }) => ({
    size,
    steps: [kill, rotate, cut].reduce<readonly Step[]>((all, extra, i) => all.toSpliced(at[i] ?? 0, 0, extra), steps),
  }))

export interface Asked {
  readonly birth: Dot
  readonly dot: Dot
  readonly version: readonly Dot[]
  readonly name: string
  readonly intent: Intent
}

/** One mesh living through one history, watched after every step. */
export class Play {
  readonly mesh: Mesh
  readonly births: Dot[] = []
  /** What was asked for of attributes that merge, and what its author included then. */
  readonly asked: Asked[] = []
  readonly #dead = new Map<Replica, Set<Dot>>()

  constructor(size: number) {
    this.mesh = new Mesh(size)
    this.mesh.connectAll()
    this.mesh.drain()
    for (let i = 0; i < 3; i++) this.births.push(this.mesh.create(i).birth)
    for (let i = 0; i < size; i++) this.mesh.flush(i)
    this.mesh.drain()
  }

  step(step: Step): void {
    this.#perform(step)
    this.#watchTheDead()
  }

  #perform(step: Step): void {
    const { mesh } = this
    switch (step.type) {
      case 'create':
        if (mesh.node(step.node).up) this.births.push(mesh.create(step.node, [text('a', 'born')]).birth)
        return
      case 'write': {
        const value = step.remove ? null : `v${mesh.events.length}`
        if (mesh.node(step.node).up) mesh.commit(step.node, { type: 'write', birth: this.#birth(step.session), writes: [text(step.name, value)] })
        return
      }
      case 'merge':
        return this.#merge(step)
      case 'rotate':
        if (mesh.node(step.node).up) mesh.commit(step.node, { type: 'rotate', birth: this.#birth(step.session), id: mesh.newId(), writes: [] })
        return
      case 'kill':
        if (mesh.node(step.node).up) mesh.commit(step.node, { type: 'kill', birth: this.#birth(step.session), reason: 'destroyed' })
        return
      case 'flush':
        return mesh.flush(step.node)
      case 'deliver':
        return mesh.deliver(step.at)
      case 'lose':
        return mesh.lose(step.at)
      case 'double':
        return mesh.deliver(step.at, true)
      case 'cut':
        return mesh.cut(step.a, step.b)
      case 'connect':
        if (mesh.node(step.a) !== mesh.node(step.b)) mesh.connect(step.a, step.b)
        return
      case 'crash':
        if (mesh.nodes.filter((other) => other.up).length > 2 && mesh.node(step.node).up) mesh.crash(step.node)
        return
      case 'restart':
        if (!mesh.node(step.node).up) mesh.restart(step.node)
        return
      case 'tick':
        return mesh.tick(step.ms)
    }
  }

  #merge({ node: at, session: which, name, write }: Extract<Step, { type: 'merge' }>): void {
    const { replica, up } = this.mesh.node(at)
    if (!up) return
    const birth = this.#birth(which)
    const dot = replica.nextDot
    const version = replica.state.live.get(birth)?.version ?? []
    const outcome = this.mesh.commit(at, { type: 'write', birth, writes: [{ name, ...write }] })
    if (outcome === 'done' && write.value !== null) this.asked.push({ birth, dot, version, name, intent: write.value })
  }

  #birth(session: number): Dot {
    return this.births[session % this.births.length] as Dot
  }

  /** Once dead at a replica, dead there for good. */
  #watchTheDead(): void {
    for (const { replica, up } of this.mesh.nodes) {
      if (!up) continue
      const dead = this.#dead.get(replica) ?? new Set()
      this.#dead.set(replica, dead)
      for (const birth of this.births) {
        if (replica.state.isDead(birth)) dead.add(birth)
        else if (dead.has(birth)) throw new Error(`session ${birth.actor}:${birth.counter} came back to life`)
      }
    }
  }
}

/**
 * What everybody must agree on: the state that the events taken in by `replica` make, computed from scratch. An event is
 * taken in by its dot, or as part of a fragment whose session version includes it (its origin may be gone since).
 */
export function expected(replica: Replica, events: readonly Event[]): unknown {
  const { context, live } = replica.state
  const known = events.filter(
    (event) => context.has(event.dot) || (event.type !== 'revoke' && live.get(event.birth)?.includes(event.dot) === true),
  )
  const killed = known.filter((event) => event.type === 'kill')
  return known
    .filter((event) => event.type === 'create')
    .filter(({ birth }) => !killed.some((kill) => sameDot(kill.birth, birth)))
    .map(({ birth }) => {
      const own = known.filter((event) => isWriting(event) && sameDot(event.birth, birth)).filter(isWriting)
      const drops = own.flatMap((event) => (event.type === 'rotate' ? event.drops : []))
      const adds = own.filter((event) => event.type === 'create' || event.type === 'rotate')
      return {
        birth,
        complete: true,
        ids: adds.filter(({ dot }) => !drops.some((drop) => sameDot(drop, dot))).map(({ id }) => id).sort(),
        registers: outcomes(own),
      }
    })
    .sort((a, b) => a.birth.actor - b.birth.actor || a.birth.counter - b.birth.counter)
}

function isWriting(event: Event): event is Exclude<Event, { type: 'kill' | 'revoke' }> {
  return event.type !== 'kill' && event.type !== 'revoke'
}

/**
 * What was asked for, taken literally: of `sum` every addition counts, of `top` the greatest, of `tags` an element that
 * was added by somebody whom no removal of it had seen.
 */
export function literally(state: SessionState, asked: readonly Asked[]): Readonly<Record<string, string>> {
  const own = asked.filter(({ birth, dot }) => sameDot(birth, state.birth) && state.includes(dot))
  const of = (name: string): Asked[] => own.filter((one) => one.name === name)
  const had = ({ version }: Asked, dot: Dot): boolean => {
    return version.some(({ actor, counter: last }) => actor === dot.actor && last >= dot.counter)
  }
  const sums = of('sum').flatMap(({ intent }) => (intent.type === 'counter' ? [intent.add] : []))
  const tops = of('top').flatMap(({ intent }) => (intent.type === 'max' ? [intent.value] : []))
  const tags = of('tags')
  const isIn = (element: number): boolean => {
    const adds = tags.filter(({ intent }) => intent.type === 'set' && intent.add.some(([one]) => one === element))
    const removes = tags.filter(({ intent }) => intent.type === 'set' && intent.remove.some(([one]) => one === element))
    return adds.some(({ dot }) => !removes.some((removal) => had(removal, dot)))
  }
  return {
    ...(sums.length === 0 ? {} : { sum: String(sums.reduce((total, add) => total + add, 0)) }),
    ...(tops.length === 0 ? {} : { top: String(Math.max(...tops)) }),
    ...(tags.length === 0 ? {} : { tags: setText([0, 1, 2, 3, 4].filter(isIn).map(String)) }),
  }
}

/** The same of what a session holds. */
export function held({ registers }: SessionState): Readonly<Record<string, string>> {
  const own = registers.filter(({ name }) => ['sum', 'top', 'tags'].includes(name))
  return Object.fromEntries(own.map(({ name, value }) => [name, textOf(value)]))
}

/** Sessions whose creating event nobody has any more are held by some and served by none. */
export function served(replica: Replica): unknown {
  return (canonical(replica) as { complete: boolean }[]).filter((session) => session.complete)
}
