import type { Event, LoadAnswer } from '../../replica/events.js'
import type { Dot, EndReason } from '../../session/session.js'
import type { Exchange } from '../exchange.js'
import type { Process, SimulatedNode } from '../node.js'
import type { Checker, CheckerFactory, Scene } from './checker.js'

type Hook = Exclude<keyof Checker, 'name'>

/** All checkers together: tells each of them what it wants to hear, and counts. */
export class Panel {
  #checks = 0
  readonly #hearing: { readonly [hook in Hook]: readonly (Checker & Required<Pick<Checker, hook>>)[] }

  constructor(factories: readonly CheckerFactory[], scene: Scene) {
    const checkers = factories.map((factory) => factory(scene))
    const hearing = <H extends Hook>(hook: H): readonly (Checker & Required<Pick<Checker, H>>)[] =>
      checkers.filter((checker): checker is Checker & Required<Pick<Checker, H>> => checker[hook] !== undefined)
    this.#hearing = {
      made: hearing('made'),
      stepped: hearing('stepped'),
      ended: hearing('ended'),
      ready: hearing('ready'),
      linked: hearing('linked'),
      found: hearing('found'),
      none: hearing('none'),
      committed: hearing('committed'),
      swept: hearing('swept'),
      settled: hearing('settled'),
      idled: hearing('idled'),
    }
  }

  /** How often a promise was looked at. */
  get checks(): number {
    return this.#checks
  }

  made(node: SimulatedNode, process: Process, event: Event): void {
    for (const checker of this.#of('made')) checker.made(node, process, event)
  }

  stepped(node: SimulatedNode, process: Process): void {
    for (const checker of this.#of('stepped')) checker.stepped(node, process)
  }

  ended(node: SimulatedNode, process: Process, birth: Dot, reason: EndReason, local: boolean): void {
    for (const checker of this.#of('ended')) checker.ended(node, process, birth, reason, local)
  }

  ready(node: SimulatedNode, process: Process): void {
    for (const checker of this.#of('ready')) checker.ready(node, process)
  }

  linked(node: SimulatedNode, process: Process, to: SimulatedNode): void {
    for (const checker of this.#of('linked')) checker.linked(node, process, to)
  }

  loaded(exchange: Exchange, process: Process, answer: LoadAnswer): void {
    if (answer.state === 'found') for (const checker of this.#of('found')) checker.found(exchange, process, answer)
    if (answer.state === 'none') for (const checker of this.#of('none')) checker.none(exchange, process, answer)
  }

  committed(exchange: Exchange, process: Process, event: Event, outcome: 'done' | 'unknown'): void {
    for (const checker of this.#of('committed')) checker.committed(exchange, process, event, outcome)
  }

  swept(): void {
    for (const checker of this.#of('swept')) checker.swept()
  }

  settled(): void {
    for (const checker of this.#of('settled')) checker.settled()
  }

  idled(): void {
    for (const checker of this.#of('idled')) checker.idled()
  }

  #of<H extends Hook>(hook: H): readonly (Checker & Required<Pick<Checker, H>>)[] {
    const hearing = this.#hearing[hook]
    this.#checks += hearing.length
    return hearing
  }
}
