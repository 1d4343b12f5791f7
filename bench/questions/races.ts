/**
 * What do requests of one session that overlap do to each other? Three races, on two nodes where the sessions are
 * shared: two slow requests change different attributes (is one lost?), a logout overtakes a slow request that writes
 * (is the session back?), and a counter is incremented, one request after the other, through alternating nodes.
 */
import { Connections } from '../load/http.js'
import { Visitor, type Shape } from '../load/visitor.js'
import type { PlanOptions, Question, Sample, Trial, TrialContext } from '../question.js'
import { textOf } from '../servers/text.js'
import type { Variant } from '../variants.js'

const TRIALS = 1_000
const INCREMENTS = 500
/** Browsers that count at the same time, each for itself. */
const COUNTERS = 4
/** Trials at once: few enough that both requests of each have begun long before the first one writes. */
const WIDTH = 16
/** How long a slow request holds its session. */
const SLOW_MS = 20
/** Into the slow request. */
const LOGOUT_AFTER_MS = 8
/** What is not there by then is lost. */
const LOST_AFTER_MS = 500
const LOOKED_EVERY_MS = 10
const SHAPE: Shape = { attributes: 2, bytes: 10 }

const STANDARD = ['es-memory', 'es-connect-redis', 'mesh-memory', 'mesh-async', 'mesh-redis', 'store-mesh']
const FULL = [...STANDARD, 'es-memorystore', 'mesh-tiered-behind', 'mesh-tiered-cache', 'store-memory']

export const question: Question = {
  name: 'races',
  title: 'whether requests that overlap lose updates or bring sessions back',
  plan: ({ mode, variants, chosen }: PlanOptions) => {
    const wanted = mode === 'full' ? FULL : STANDARD
    const taking = variants.filter(({ name, program }) => {
      return hasMiddleware(program) && (chosen || wanted.includes(name) || name === 'yours')
    })
    return taking.map((variant) => trialOf(variant, TRIALS))
  },
}

function trialOf(variant: Variant, trials: number): Trial {
  const nodes = variant.shared ? 2 : 1
  return {
    variant: variant.name,
    group: 'races',
    cells: [{ nodes, trials }],
    seconds: 6 + trials / 200,
    // Counts of a thousand trials each: another round would say the same.
    rounds: 1,
    measure: async (context) => [await measure(variant, nodes, trials, context)],
  }
}

async function measure(variant: Variant, nodes: number, trials: number, context: TrialContext): Promise<Sample> {
  const site = await context.rig.start(variant, { nodes })
  const servers = site.nodes.map(({ port }) => new Connections(port, 2 * WIDTH))
  const [a, b = a] = servers
  if (a === undefined || b === undefined) throw new Error('a site without servers')
  try {
    const lost = await count(trials, context.signal, async (i) => await losesUpdate(a, b, i))
    const revived = await count(trials, context.signal, async (i) => await revives(a, b, i))
    const counted = await Promise.all(Array.from({ length: COUNTERS }, async () => await increments(servers)))
    const missing = counted.reduce((sum, value) => sum + INCREMENTS - value, 0)
    const notes = [
      `${lost} of ${trials} updates lost, ${revived} of ${trials} sessions back after the logout`,
      `${missing} of ${COUNTERS * INCREMENTS} increments lost`,
    ]
    const isBroken = lost + revived + missing > 0 && promisesMore(variant)
    return {
      settings: { nodes, trials },
      figures: {
        lost: { unit: 'share', value: lost / trials },
        revived: { unit: 'share', value: revived / trials },
        lostIncrements: { unit: 'share', value: missing / (COUNTERS * INCREMENTS) },
      },
      ...(isBroken ? { marks: ['wrong'] } : {}),
      notes,
    }
  } finally {
    await Promise.all(servers.map((server) => server.close()))
  }
}

/** How many trials end badly; `WIDTH` at a time. */
async function count(trials: number, signal: AbortSignal, isBad: (i: number) => Promise<boolean>): Promise<number> {
  let [next, bad] = [0, 0]
  const worker = async (): Promise<void> => {
    for (let i = next++; i < trials && !signal.aborted; i = next++) if (await isBad(i)) bad++
  }
  await Promise.all(Array.from({ length: WIDTH }, worker))
  return bad
}

/** Both requests have loaded the session before either writes. */
async function losesUpdate(a: Connections, b: Connections, i: number): Promise<boolean> {
  const browser = await loggedIn(a)
  const version = i + 1
  const slow = (name: string): string => `/slow/${name}/${version}/${SHAPE.bytes}/${SLOW_MS}`
  const replies = await Promise.all([browser.ask(a, 'POST', slow('a0')), browser.ask(b, 'POST', slow('a1'))])
  if (replies.some((reply) => reply?.status !== 200)) throw new Error('a slow request failed')
  const expected = textOf(version, SHAPE.bytes)
  for (const server of [a, b]) {
    for (const name of ['a0', 'a1']) {
      if (!(await comes(browser, server, `/read/${name}`, expected))) return true
    }
  }
  return false
}

/**
 * Late is not lost: of two parallel answers one may overwrite what the other told the browser, and then a read can be ahead
 * of a write. How fresh reads are is another question's.
 */
async function comes(browser: Visitor, server: Connections, path: string, expected: string): Promise<boolean> {
  const by = performance.now() + LOST_AFTER_MS
  do {
    const reply = await browser.ask(server, 'GET', path)
    if (reply?.body === expected) return true
    await new Promise((resolve) => setTimeout(resolve, LOOKED_EVERY_MS))
  } while (performance.now() < by)
  return false
}

/** The logout is answered while the slow request holds the session. */
async function revives(a: Connections, b: Connections, i: number): Promise<boolean> {
  const browser = await loggedIn(a)
  // Keeps the cookie of before the logout, as a second tab or a thief would.
  const thief = browser.copy()
  const slow = thief.ask(b, 'POST', `/slow/a0/${i + 1}/${SHAPE.bytes}/${SLOW_MS}`)
  await new Promise((resolve) => setTimeout(resolve, LOGOUT_AFTER_MS))
  const other = browser.copy()
  const out = await browser.ask(a, 'POST', '/logout')
  if (out?.status !== 200) throw new Error('a logout failed')
  await slow
  for (const server of [a, b]) {
    const reply = await other.copy().ask(server, 'GET', '/read/a0')
    if (reply?.body !== '') return true
  }
  return false
}

/** What the counter says in the end; every increment waits for the one before. */
async function increments(servers: readonly Connections[]): Promise<number> {
  const [first] = servers
  if (first === undefined) return 0
  const browser = await loggedIn(first)
  let last = 0
  for (let i = 0; i < INCREMENTS; i++) {
    const server = servers[i % servers.length] ?? first
    const reply = await browser.ask(server, 'POST', '/increment/n')
    last = Number(reply?.body ?? 0)
  }
  return last
}

async function loggedIn(server: Connections): Promise<Visitor> {
  const browser = new Visitor(SHAPE)
  const outcome = await browser.create(server)
  if (outcome !== 'right') throw new Error(`a session could not be made (${outcome})`)
  return browser
}

function hasMiddleware(program: Variant['program']): boolean {
  return program !== 'raw-http' && program !== 'floor'
}

/** What express-session does with its own stores is what is being counted. */
function promisesMore({ program }: Variant): boolean {
  return program !== 'express-session'
}
