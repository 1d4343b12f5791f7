import type { LoadAnswer } from '../replica/events.js'
import type { Scene } from './checkers/checker.js'
import type { Exchange, Reply } from './exchange.js'
import type { Process } from './node.js'
import { firstOlder } from './seen.js'

type FoundAnswer = Extract<LoadAnswer, { state: 'found' }>

/** What needs to be known of the world to judge an answer. */
type AnswerScene = Pick<Scene, 'oracle' | 'nodes' | 'now' | 'idleFrom' | 'mayShowOlder'>

/** What browsers are told, counted: how much of it, and how much that nobody would have told who knew everything. */
export class Answers {
  readonly replies: Record<Reply['type'] | 'refused', number> = {
    served: 0,
    none: 0,
    over: 0,
    behind: 0,
    failed: 0,
    refused: 0,
  }
  readonly reads = { checked: 0, flaggedStale: 0, sequential: 0, sequentialStale: 0, parallel: 0, parallelStale: 0 }
  /** Requests refused as unknown whose session a running node would have served. */
  anonymousInError = 0
  readonly #scene: AnswerScene

  constructor(scene: AnswerScene) {
    this.#scene = scene
  }

  count(exchange: Exchange, process: Process, answer: LoadAnswer): void {
    if (answer.state === 'found') this.#countRead(exchange, process, answer)
    if (answer.state === 'none' && this.#isHeldSomewhere(exchange)) this.anonymousInError++
  }

  #countRead({ ask }: Exchange, process: Process, answer: FoundAnswer): void {
    if (this.#scene.mayShowOlder(process)) return
    const { reads } = this
    const registers = process.replica.state.live.get(answer.birth)?.registers ?? []
    const isOld =
      firstOlder(ask.ideal.read, registers) !== undefined || firstOlder(ask.ideal.written, registers) !== undefined
    if (answer.stale) reads.flaggedStale++
    else reads.checked++
    if (ask.isParallel) reads.parallel++
    else reads.sequential++
    if (!isOld || answer.stale) return
    if (ask.isParallel) reads.parallelStale++
    else reads.sequentialStale++
  }

  /** Whether a running node would serve what was just refused. */
  #isHeldSomewhere({ ask }: Exchange): boolean {
    const { id } = ask
    const { oracle, nodes, now } = this.#scene
    if (id === undefined || oracle.history(id.birth).kills.length > 0) return false
    const added = oracle.ids.get(id.hash)
    const create = oracle.history(id.birth).changes[0]
    if (added === undefined || create?.type !== 'create' || oracle.removers.has(added)) return false
    if (now - oracle.history(id.birth).accessedAt >= this.#scene.idleFrom(create.base.maxIdleMs)) return false
    return nodes.some(({ process }) => process?.replica.state.byId(id.hash) !== undefined)
  }
}
