import type { Event, Input, LoadAnswer, Output } from '../replica/events.js'
import { REPLICA_DEFAULTS } from '../replica/options.js'
import type { Dot, IdHash } from '../session/session.js'
import { Alone } from './alone.js'
import { Answers } from './answers.js'
import { Browser, type BrowserHost } from './browser.js'
import { Calm } from './calm.js'
import { ALL_CHECKERS } from './checkers/all.js'
import { Violation, type CheckerFactory } from './checkers/checker.js'
import { Panel } from './checkers/panel.js'
import { TOUCH_SHARE, type Exchange, type Reply } from './exchange.js'
import { Faults } from './faults.js'
import { Imports, type CreateEvent } from './imports.js'
import { MERGING_ATTRIBUTES } from './merging.js'
import { Network } from './network.js'
import { SimulatedNode, type NodeHost, type Process } from './node.js'
import { Oracle } from './oracle.js'
import type { Plan } from './plan.js'
import { EventQueue } from './queue.js'
import { Random } from './random.js'
import { Trace } from './trace.js'
import { Twins } from './twins.js'

/** What people do in a minute of virtual time, all together. */
const COMMITS_PER_MINUTE = 230
/** How much quicker and slower than usual people may be. */
const LEISURE_MIN = 0.3
const LEISURE_MAX = 8
/** Everything is looked at this often, virtual milliseconds; what a step touched is looked at after that step. */
const SWEEP_EVERY_MS = 30_000
/** Travel, flushes and ticks together, milliseconds. */
const MOMENT_MS = 1_000
const BROWSERS_PER_PRINCIPAL = 2
const PLAIN_ATTRIBUTES: readonly string[] = ['cart', 'colour', 'name', 'page', 'theme', 'visits']

type CommitInput = Extract<Input, { type: 'commit' }>

/** One simulated cluster with its network, its browsers, its faults, and everybody who watches. */
export class World implements NodeHost, BrowserHost {
  readonly plan: Plan
  readonly queue = new EventQueue()
  readonly nodes: readonly SimulatedNode[]
  readonly network: Network
  readonly faults: Faults
  readonly calm: Calm = new Calm(() => this.queue.now)
  readonly oracle = new Oracle()
  readonly panel: Panel
  readonly trace: Trace
  readonly random: Random
  readonly replica: NodeHost['replica']
  readonly addresses: readonly string[]
  readonly lifetimes: Plan['lifetimes']
  readonly attributes: readonly string[]
  readonly browsers: Browser[] = []
  readonly answers: Answers = new Answers(this)
  readonly imports = { imported: 0, known: 0, dead: 0 }
  readonly counts = { steps: 0, commits: 0, commitsUnderFault: 0 }
  isQuiet = false

  /** Keeps a seed near COMMITS_PER_MINUTE, whatever its faults and lifetimes: fewer say less, more only take longer. */
  get leisure(): number {
    const due = COMMITS_PER_MINUTE * (this.queue.now / 60_000 + 0.25)
    return Math.min(LEISURE_MAX, Math.max(LEISURE_MIN, (this.counts.commits / due) ** 3))
  }
  readonly #alone = new Alone()
  readonly #exchanges = new Map<number, { readonly exchange: Exchange; readonly process: Process }>()
  #requests = 0
  #ids = 0
  #values = 0

  constructor(plan: Plan, checkers: readonly CheckerFactory[] = ALL_CHECKERS) {
    const dice = new Random(plan.seed, 'world')
    this.plan = plan
    this.random = dice.fork('application')
    this.lifetimes = plan.lifetimes
    this.attributes = plan.merges ? [...PLAIN_ATTRIBUTES, ...MERGING_ATTRIBUTES] : PLAIN_ATTRIBUTES
    // In some worlds few sessions stay ready, and most of what is read or changed is met packed. It takes longer.
    const warmSessionsMax = new Random(plan.seed, 'memory').chance(0.25) ? 8 : REPLICA_DEFAULTS.warmSessionsMax
    this.replica = { ...REPLICA_DEFAULTS, warmSessionsMax, ...plan.replica }
    this.addresses = Array.from({ length: plan.nodes }, (_, index) => `127.0.0.1:${7000 + index}`)
    this.trace = new Trace(plan.traceLines)
    this.nodes = this.addresses.map((_, index) => new SimulatedNode(index, this, dice.fork(`node ${index}`)))
    const clockErrors = this.nodes.map(() => dice.between(-plan.clockErrorMs, plan.clockErrorMs))
    this.nodes.forEach((node, index) => node.clock.set(0, clockErrors[index] ?? 0))
    this.network = new Network(this.nodes, this.queue, dice.fork('network'))
    this.panel = new Panel(checkers, this)
    for (const node of this.nodes) this.queue.after(dice.between(0, 2_000), () => node.start())
    const faultDice = dice.fork('faults')
    this.faults = new Faults({ ...this.#faultHost(), clockErrors }, faultDice, plan.faults, plan.faultEveryMs)
    this.#openBrowsers()
    this.#planSweep()
  }

  get now(): number {
    return this.queue.now
  }

  get hasWrongClocks(): boolean {
    return this.plan.faults.some(({ kind }) => kind === 'clock-jump' || kind === 'clock-drift')
  }

  get skewMs(): number {
    return this.hasWrongClocks ? 2 * REPLICA_DEFAULTS.maxSkewMs : 2 * this.plan.clockErrorMs
  }

  get merges(): boolean {
    return this.plan.merges
  }

  get twins(): boolean {
    return this.plan.twins
  }

  get killsMax(): number {
    return this.plan.replica.killsMax
  }

  get stampDotsMax(): number {
    return this.plan.replica.stampDotsMax
  }

  idleFrom(maxIdleMs: number): number {
    return maxIdleMs - maxIdleMs / TOUCH_SHARE - this.skewMs - MOMENT_MS
  }

  mayShowOlder(process: Process): boolean {
    return this.#alone.mayShowOlder(process)
  }

  waiting(): readonly Exchange[] {
    return [...this.#exchanges.values()].map(({ exchange }) => exchange)
  }

  // ── What nodes tell ─────────────────────────────────────────────────────────────────────────────────────────────

  performed(node: SimulatedNode, process: Process, input: Input, outputs: readonly Output[]): void {
    this.counts.steps++
    this.trace.step(this.queue.now, node.name, input)
    const { made, isEmpty } = process.observation
    if (input.type === 'commit') this.#becomes(node, process, input, made[0])
    for (const event of made) {
      this.panel.made(node, process, event)
      this.oracle.record(event)
      if (event.type === 'create') this.#noteCreation(node, process, event.birth)
      this.counts.commits++
      if (!this.calm.isCalm) this.counts.commitsUnderFault++
    }
    if (!isEmpty) this.panel.stepped(node, process)
    if (input.type === 'link-up') {
      const to = this.nodes.find((other) => other.name === input.member.node)
      if (to !== undefined) this.panel.linked(node, process, to)
    }
    for (const output of outputs) this.#perform(node, process, output)
  }

  ended(_node: SimulatedNode, process: Process): void {
    for (const [request, waiting] of this.#exchanges) {
      if (waiting.process !== process) continue
      this.#exchanges.delete(request)
      waiting.exchange.fail()
    }
  }

  #perform(node: SimulatedNode, process: Process, output: Output): void {
    switch (output.type) {
      case 'send':
        return this.network.send(output.links, output.message)
      case 'loaded':
      case 'committed':
        return this.#exchanges.get(output.request)?.exchange.hear(output)
      case 'ended':
        return this.panel.ended(node, process, output.birth, output.reason, output.local)
      case 'ready':
        this.trace.note(this.queue.now, node.name, 'ready')
        this.#alone.ready(process, this.nodes)
        return this.panel.ready(node, process)
      case 'drained':
        this.network.processEnded(node.index, false)
        return node.crash()
      case 'quarantine':
        throw new Violation('Quarantine', `${node.name} accuses an honest peer of ${output.rule}`)
      case 'imported':
        this.imports[output.outcome]++
        return
      case 'changed':
    }
  }

  // ── What requests need ──────────────────────────────────────────────────────────────────────────────────────────

  newRequest(exchange: Exchange, process: Process): number {
    const request = ++this.#requests
    this.#exchanges.set(request, { exchange, process })
    return request
  }

  newId(): IdHash {
    return `id${String(++this.#ids).padStart(20, '0')}` as IdHash
  }

  newValue(): Uint8Array {
    const value = new Uint8Array(8)
    new DataView(value.buffer).setFloat64(0, ++this.#values)
    return value
  }

  madeElsewhere(event: CreateEvent, by: SimulatedNode, process: Process): void {
    this.oracle.record(event)
    this.#noteCreation(by, process, event.birth)
  }

  over(exchange: Exchange): void {
    this.#exchanges.delete(exchange.request)
  }

  loaded(exchange: Exchange, process: Process, answer: LoadAnswer): void {
    this.panel.loaded(exchange, process, answer)
    this.answers.count(exchange, process, answer)
    if (answer.state === 'found') this.#noteAccess(exchange.node, process, answer.birth)
  }

  committed(exchange: Exchange, process: Process, event: Event, outcome: 'done' | 'unknown'): void {
    this.panel.committed(exchange, process, event, outcome)
  }

  #becomes(node: SimulatedNode, process: Process, input: CommitInput, event: Event | undefined): void {
    if (event === undefined) return
    this.#exchanges.get(input.request)?.exchange.became(event)
    if (event.type === 'kill' || event.type === 'revoke') return
    this.#noteAccess(node, process, event.birth)
    const version = this.merges ? process.replica.state.live.get(event.birth)?.version : undefined
    if (version !== undefined && 'writes' in input.commit) {
      this.oracle.ask(event.dot, { writes: input.commit.writes, version })
    }
  }

  #noteCreation(node: SimulatedNode, { replica }: Process, birth: Dot): void {
    const history = this.oracle.history(birth)
    history.createdAt = this.now
    history.isMisdated = isClockWrong(node, this.now) && replica.roster.peers.size === 0
  }

  #noteAccess(node: SimulatedNode, { actor }: Process, birth: Dot): void {
    const history = this.oracle.history(birth)
    history.accessedAt = this.now
    history.accessedBy = actor
    history.accessClockWrong = isClockWrong(node, this.now)
  }

  answered(reply: Reply['type'] | 'refused'): void {
    this.answers.replies[reply]++
  }

  // ── Setting the scene ───────────────────────────────────────────────────────────────────────────────────────────

  #openBrowsers(): void {
    const { browsers, stamps, seed } = this.plan
    for (let index = 0; index < browsers; index++) {
      const name = `browser-${index}`
      const dice = new Random(seed, name)
      const options = {
        name,
        tabs: index % 3 === 2 ? 3 : 1,
        principal: `person-${Math.floor(index / BROWSERS_PER_PRINCIPAL)}`,
        carriesStamps: stamps,
        thinkMs: dice.between(600, 1_800),
      }
      this.queue.after(3_000, () => this.browsers.push(new Browser(options, this, dice)))
    }
    if (this.plan.twins) this.queue.after(6_000, () => void new Twins(this, new Random(seed, 'twins at work')))
    if (this.plan.imports) this.queue.after(6_000, () => void new Imports(this, new Random(seed, 'import')))
  }

  #planSweep(): void {
    this.queue.after(SWEEP_EVERY_MS, () => {
      this.panel.swept()
      this.#planSweep()
    })
  }

  #faultHost(): Omit<ConstructorParameters<typeof Faults>[0], 'clockErrors'> {
    const { nodes, network, queue, calm } = this
    return { nodes, network, queue, calm, note: (text) => this.trace.note(queue.now, 'world', text) }
  }
}

function isClockWrong(node: SimulatedNode, now: number): boolean {
  return Math.abs(node.clock.offsetMs(now)) > REPLICA_DEFAULTS.maxSkewMs
}
