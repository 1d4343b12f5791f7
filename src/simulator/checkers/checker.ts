import type { Event, LoadAnswer } from '../../replica/events.js'
import type { Dot, EndReason } from '../../session/session.js'
import type { Exchange } from '../exchange.js'
import type { Network } from '../network.js'
import type { Process, SimulatedNode } from '../node.js'
import type { Oracle } from '../oracle.js'
import type { Calm } from '../calm.js'

/** What checkers may look at. */
export interface Scene {
  readonly oracle: Oracle
  readonly nodes: readonly SimulatedNode[]
  readonly network: Network
  readonly calm: Calm
  /** Virtual milliseconds. */
  readonly now: number
  /** Largest difference between two wall clocks of nodes that serve, milliseconds. */
  readonly skewMs: number
  /** Whether clocks are set wrong now and then, or run at a wrong rate. */
  readonly hasWrongClocks: boolean
  /** For how long a session must have been unused, in true time, before anybody may take it for idle, milliseconds. */
  idleFrom(maxIdleMs: number): number
  /** Whether some attributes merge. */
  readonly merges: boolean
  /** Whether several nodes make sessions under one id. */
  readonly twins: boolean
  /** Kill records that each replica may keep. */
  readonly killsMax: number
  /** Events that a stamp may list. */
  readonly stampDotsMax: number
  /** It was restored from an older copy while it reached nobody, and has not caught up: it cannot know what browsers have seen. */
  mayShowOlder(process: Process): boolean
  /** Requests without an answer, on processes that run. */
  waiting(): readonly Exchange[]
}

export type NoneAnswer = Extract<LoadAnswer, { state: 'none' }>
export type FoundAnswer = Extract<LoadAnswer, { state: 'found' }>

/** One promise, watched. Each hook is called when there is something new to look at; a broken promise throws. */
export interface Checker {
  /** Its name in PROTOCOL and in reports. */
  readonly name: string
  /** A process made an event. */
  made?(node: SimulatedNode, process: Process, event: Event): void
  /** A process took one step that touched something. */
  stepped?(node: SimulatedNode, process: Process): void
  /** A process learned that a session is over. */
  ended?(node: SimulatedNode, process: Process, birth: Dot, reason: EndReason, local: boolean): void
  ready?(node: SimulatedNode, process: Process): void
  linked?(node: SimulatedNode, process: Process, to: SimulatedNode): void
  found?(exchange: Exchange, process: Process, answer: FoundAnswer): void
  none?(exchange: Exchange, process: Process, answer: NoneAnswer): void
  /** A commit was answered; `event` is what it became. */
  committed?(exchange: Exchange, process: Process, event: Event, outcome: 'done' | 'unknown'): void
  /** Now and then: everything, everywhere. */
  swept?(): void
  /** After the end of all faults, when all nodes agree. */
  settled?(): void
  /** Long after that: every session had the time to end. */
  idled?(): void
}

export type CheckerFactory = (scene: Scene) => Checker

/** A promise that does not hold. */
export class Violation extends Error {
  readonly checker: string
  constructor(checker: string, message: string) {
    super(`${checker}: ${message}`)
    this.name = 'Violation'
    this.checker = checker
  }
}

/** Stops the run when a promise is broken; the message is made only then. */
export function ensure(condition: boolean, checker: string, message: () => string): asserts condition {
  if (!condition) throw new Violation(checker, message())
}
