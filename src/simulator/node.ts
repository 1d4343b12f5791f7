import type { Input, Member, Output } from '../replica/events.js'
import { type ReplicaOptions } from '../replica/options.js'
import { Replica } from '../replica/replica.js'
import type { NodeId } from '../session/session.js'
import type { EventQueue } from './queue.js'
import type { Random } from './random.js'
import { Observation } from './observation.js'
import { restore, takeSnapshot, type Snapshot } from './snapshot.js'
import { WallClock } from './wall-clock.js'

/** What a node needs of the world around it. */
export interface NodeHost {
  readonly queue: EventQueue
  /** Options of every replica, without what is the node's own. */
  readonly replica: Omit<ReplicaOptions, 'node' | 'actor' | 'startedAt' | 'peers'>
  readonly addresses: readonly string[]
  /** A replica took one step. */
  performed(node: SimulatedNode, process: Process, input: Input, outputs: readonly Output[]): void
  /** A process is gone, with everything it held. */
  ended(node: SimulatedNode, process: Process): void
}

/** One start of one node. */
export interface Process {
  readonly replica: Replica
  readonly actor: number
  readonly observation: Observation
  readonly startedAtTime: number
  /** It began with a copy of what an earlier start of its node held. */
  readonly isRestored: boolean
}

const TICK_MS = 100
const TICK: Input = { type: 'tick', lagMs: 0 }
const FLUSH: Input = { type: 'flush' }

/** One machine: a wall clock, and now and then a process on it. */
export class SimulatedNode {
  readonly index: number
  readonly name: NodeId
  readonly clock = new WallClock()
  readonly #host: NodeHost
  readonly #random: Random
  #process: Process | undefined = undefined
  #inbox: (() => void)[] = []
  #pausedSince: number | undefined = undefined
  #flushPlanned = false
  #snapshot: Snapshot | undefined = undefined

  constructor(index: number, host: NodeHost, random: Random) {
    this.index = index
    this.name = `node-${index}` as NodeId
    this.#host = host
    this.#random = random
  }

  get address(): string {
    return this.#host.addresses[this.index] as string
  }

  get process(): Process | undefined {
    return this.#process
  }

  get isUp(): boolean {
    return this.#process !== undefined
  }

  get isPaused(): boolean {
    return this.#pausedSince !== undefined
  }

  /** Its own wall clock. */
  get now(): number {
    return this.clock.read(this.#host.queue.now)
  }

  get member(): Member | undefined {
    return this.#process?.replica.roster.self
  }

  get hasSnapshot(): boolean {
    return this.#snapshot !== undefined
  }

  /** Starts a process: always a new actor, empty or from the last snapshot. */
  start(from: 'nothing' | 'snapshot' = 'nothing'): void {
    if (this.#process !== undefined) return
    const actor = this.#random.actor()
    const { replica: options, addresses, queue } = this.#host
    const peers = addresses.filter((address) => address !== this.address)
    const replica = new Replica({ ...options, node: this.name, actor, startedAt: this.now, peers }, this.now)
    const snapshot = from === 'snapshot' ? this.#snapshot : undefined
    if (snapshot !== undefined) restore(replica, snapshot)
    const observation = new Observation(replica, actor)
    const process = { replica, actor, observation, startedAtTime: queue.now, isRestored: snapshot !== undefined }
    this.#process = process
    this.#inbox = []
    const tick = (): void => {
      if (this.#process !== process) return
      if (!this.isPaused) this.receive(TICK)
      queue.after(TICK_MS, tick)
    }
    queue.after(this.#random.between(0, TICK_MS), tick)
  }

  /** The process is gone at once. */
  crash(): void {
    const process = this.#process
    if (process === undefined) return
    this.#process = undefined
    this.#pausedSince = undefined
    this.#inbox = []
    this.#host.ended(this, process)
  }

  /** The process stands still; what arrives waits. */
  pause(): void {
    if (this.#process !== undefined) this.#pausedSince ??= this.#host.queue.now
  }

  resume(): void {
    const since = this.#pausedSince
    if (since === undefined) return
    this.#pausedSince = undefined
    this.receive({ type: 'tick', lagMs: Math.round(this.#host.queue.now - since) })
    for (const task of this.#inbox.splice(0)) task()
  }

  /** Keeps a copy of what the process holds now, for a later start. */
  keepSnapshot(): void {
    if (this.#process !== undefined) this.#snapshot = takeSnapshot(this.#process.replica)
  }

  receive(input: Input): void {
    const process = this.#process
    if (process === undefined) return
    if (this.isPaused) {
      this.#inbox.push(() => this.receive(input))
      return
    }
    process.observation.clear()
    const outputs = process.replica.handle(input, this.now)
    this.#host.performed(this, process, input, outputs)
    if (process.replica.hasUnsent) this.#planFlush(process)
  }

  /** Does it now, or when the process goes on. */
  whenRunning(task: () => void): void {
    if (this.isPaused) this.#inbox.push(task)
    else if (this.isUp) task()
  }

  #planFlush(process: Process): void {
    if (this.#flushPlanned) return
    this.#flushPlanned = true
    this.#host.queue.after(this.#random.between(0, 2), () => {
      this.#flushPlanned = false
      if (this.#process === process) this.receive(FLUSH)
    })
  }
}
