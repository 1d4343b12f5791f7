import { deferred } from '../../deferred.js'
import { BackendError, ProtocolError } from '../../errors.js'
import type { Log } from '../../log.js'
import type { Event, Input, Output } from '../../replica/events.js'
import { wallOf } from '../../replica/hlc.js'
import type { Replica } from '../../replica/replica.js'
import { decodeMessage, encodeMessage } from '../../transport/codec.js'
import type { LinkId, PeerInfo, Transport, TransportEvents } from '../../transport/transport.js'
import type { Answer, PeerHealth, SessionEvent } from '../backend.js'
import { RefusedPeers } from './refused-peers.js'

export interface ReplicaShellOptions {
  readonly replica: Replica
  readonly transport: Transport
  readonly now: () => number
  readonly log: Log
  readonly tell: (event: SessionEvent) => void
}

type Asking = Extract<Input, { request: number }>

const TICK_MS = 100
const DRAIN_MS = 3_000
const DUPLICATE = 'two nodes made a session under one id; one of them ends'

/**
 * What a pure replica needs to live in a process: performs what it decides. Inputs come from requests, from links, and
 * from one interval; sends go to the transport, answers to the request that waits for them. It decides nothing itself.
 */
export class ReplicaShell {
  readonly #options: ReplicaShellOptions
  readonly #replica: Replica
  readonly #transport: Transport
  readonly #waiting = new Map<number, (output: Output) => void>()
  readonly #refused: RefusedPeers
  readonly #readiness = deferred<void>()
  readonly counts = { badFrames: 0, quarantined: 0, staleReadsPrevented: 0, deltas: 0, deltaAgeMs: 0 }
  #ticker: NodeJS.Timeout | undefined = undefined
  #tickedAt = 0
  #requests = 0
  #flushScheduled = false
  #closing: Promise<void> | undefined = undefined
  #onDrained: (() => void) | undefined = undefined

  constructor(options: ReplicaShellOptions) {
    this.#options = options
    this.#replica = options.replica
    this.#transport = options.transport
    this.#refused = new RefusedPeers(options.log)
    // Nobody may be listening when it is rejected: whoever calls ready() gets it.
    this.#readiness.promise.catch(() => {})
  }

  get isClosing(): boolean {
    return this.#closing !== undefined
  }

  get refusedPeers(): readonly PeerHealth[] {
    return this.#refused.health()
  }

  async open(): Promise<void> {
    await this.#transport.open(this.#transportEvents())
    // Our own address is known only now; whoever configured it among the peers does not wait for itself.
    this.step({ type: 'unreachable', address: this.#transport.address, refused: true })
    this.#tickedAt = this.#options.now()
    this.#ticker = setInterval(() => this.#tick(), TICK_MS)
    this.#tick()
  }

  ready(): Promise<void> {
    return this.#readiness.promise
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** One input, and everything that follows from it. */
  step(input: Input): void {
    for (const output of this.#replica.handle(input, this.#options.now())) this.#perform(output)
  }

  /** Puts a question to the replica: the answer itself when it is there at once, else a promise of it. */
  ask<T>(input: Asking, read: (output: Output) => T): Answer<T> {
    const request = ++this.#requests
    const outputs = this.#replica.handle({ ...input, request }, this.#options.now())
    const taken = (output: Output): T => {
      if (isFresh(input, output)) this.counts.staleReadsPrevented++
      return read(output)
    }
    const answer = outputs.find((output) => isAnswer(output) && output.request === request)
    if (answer === undefined) {
      const later = new Promise<T>((resolve) => this.#waiting.set(request, (output) => resolve(taken(output))))
      for (const output of outputs) this.#perform(output)
      return later
    }
    for (const output of outputs) if (output !== answer) this.#perform(output)
    return taken(answer)
  }

  /**
   * The first event of a turn leaves as soon as what runs now is through, right behind its response, so that a browser's next
   * request seldom has to wait for it; those that follow within the same turn of the event loop leave together at its end.
   */
  flushSoon(): void {
    if (this.#flushScheduled || !this.#replica.hasUnsent) return
    this.#flushScheduled = true
    this.step({ type: 'flush' })
    setImmediate(() => {
      this.#flushScheduled = false
      if (this.#replica.hasUnsent) this.flushSoon()
    })
  }

  async #close(): Promise<void> {
    if (this.#ticker !== undefined) {
      const drained = deferred<void>()
      this.#onDrained = () => drained.resolve()
      this.step({ type: 'drain', deadline: this.#options.now() + DRAIN_MS })
      await drained.promise
      clearInterval(this.#ticker)
    }
    await this.#transport.close()
    this.#readiness.reject(new BackendError('the node was closed'))
    for (const [request, answer] of this.#waiting) answer({ type: 'committed', request, outcome: 'unknown' })
    this.#waiting.clear()
  }

  #transportEvents(): TransportEvents {
    return {
      up: (link, peer) => this.#linkUp(link, peer),
      down: (link, reason) => {
        this.#options.log('info', 'link-down', { link, reason })
        this.step({ type: 'link-down', link })
      },
      frame: (link, bytes) => this.#frame(link, bytes),
      stale: (link) => this.step({ type: 'link-stale', link }),
      drained: (link) => this.step({ type: 'link-drained', link }),
      unreachable: (address, rule, detail) => this.#unreachable(address, rule, detail),
    }
  }

  #linkUp(link: LinkId, { node, actor, startedAt, dialled, address }: PeerInfo): void {
    this.#options.log('info', 'link-up', { link, peer: node, address })
    this.#refused.forget(dialled ?? address)
    const member = { node, actor, startedAt, state: 'joining' } as const
    this.step({ type: 'link-up', link, member, dialled: dialled ?? address })
  }

  #unreachable(address: string, rule: string, detail: string): void {
    this.step({ type: 'unreachable', address, refused: rule !== 'unreachable' })
    const forGood = this.#refused.note(address, rule, detail, this.#options.now())
    if (forGood !== undefined) this.#readiness.reject(forGood)
  }

  #frame(link: LinkId, bytes: Uint8Array): void {
    try {
      const message = decodeMessage(bytes)
      if (message === undefined) return
      if (message.type === 'delta') this.#noteAge(link, message.events.at(-1))
      this.step({ type: 'message', link, message })
      // What came may have ended something of ours.
      this.flushSoon()
    } catch (error) {
      const isForeign = error instanceof ProtocolError
      this.counts.badFrames++
      this.#options.log(isForeign ? 'warn' : 'error', 'bad-frame', {
        link,
        rule: isForeign ? error.rule : 'handler',
        message: error instanceof Error ? error.message : 'unknown',
      })
      this.#transport.drop(link, isForeign ? error.closeCode : 1011, isForeign ? error.rule : 'internal error')
    }
  }

  /** How long an event was on its way, by this node's clock: the peer's own, as far off as it last was, is made up for. */
  #noteAge(link: LinkId, event: Event | undefined): void {
    if (event === undefined) return
    const offsetMs = this.#replica.roster.peers.get(link)?.clockOffsetMs ?? 0
    this.counts.deltas++
    this.counts.deltaAgeMs += Math.max(0, this.#options.now() - (wallOf(event.hlc) - offsetMs))
  }

  #tick(): void {
    const now = this.#options.now()
    const lagMs = now - this.#tickedAt - TICK_MS
    this.#tickedAt = now
    this.step({ type: 'tick', lagMs })
  }

  #perform(output: Output): void {
    switch (output.type) {
      case 'send': {
        const bytes = encodeMessage(output.message)
        for (const link of output.links) this.#transport.send(link, bytes)
        return
      }
      case 'loaded':
      case 'committed':
      case 'imported': {
        const answer = this.#waiting.get(output.request)
        this.#waiting.delete(output.request)
        answer?.(output)
        return
      }
      case 'changed':
        this.#options.tell({ type: output.what, ref: output.birth, local: output.local })
        return
      case 'ended': {
        const { birth: ref, reason, local } = output
        this.#options.tell({ type: reason === 'expired' ? 'expired' : 'destroyed', ref, reason, local })
        if (local && reason === 'duplicate') this.#options.log('info', 'duplicate', { detail: DUPLICATE })
        return
      }
      case 'ready':
        this.#options.log('info', 'ready', { sessions: this.#replica.state.live.size })
        this.#readiness.resolve()
        return
      case 'drained':
        this.#onDrained?.()
        return
      case 'quarantine':
        this.counts.quarantined++
        this.#options.log('warn', 'peer-misbehaves', { link: output.link, rule: output.rule })
        this.#transport.drop(output.link, 1008, output.rule)
    }
  }
}

function isAnswer(output: Output): output is Extract<Output, { request: number }> {
  return output.type === 'committed' || output.type === 'loaded' || output.type === 'imported'
}

/** A browser had seen more than was held here, and got it. */
function isFresh(input: Asking, output: Output): boolean {
  if (input.type !== 'load' || input.stamp === undefined || output.type !== 'loaded') return false
  return output.answer.state === 'found' && !output.answer.stale
}
