/**
 * How long does a node need to join? From the start of its process, and from its first link, until it can serve every
 * session; what that moves; and how long the node that hands them over keeps its own requests waiting, in a second
 * join under writes.
 */
import type { Mode, Question, Sample, Settings, Trial, TrialContext } from '../question.js'
import type { Child } from '../rig/child.js'
import type { HistoryEntry } from '../servers/orders.js'
import { monotonicUs } from '../servers/monotonic.js'
import type { Variant } from '../variants.js'

const SIZES: Readonly<Record<Mode, readonly number[]>> = {
  quick: [10_000],
  standard: [10_000, 100_000],
  full: [10_000, 100_000],
}
const SHAPE = { attributes: 1, bytes: 256 } as const
const WRITES = { rate: 1_000, bytes: 256 } as const
const SENT = 'session_mesh_sent_bytes_total'
/** It takes long, and the machine is busy with nothing else meanwhile. */
const ROUNDS = 2
const US_PER_S = 1_000_000

export const question: Question = {
  name: 'join',
  title: 'how long a node needs until it can serve every session',
  plan: ({ mode, variants }) => {
    return SIZES[mode].flatMap((sessions) =>
      variants.filter(({ name }) => name === 'mesh-async').map((variant) => trialOf(variant, sessions)),
    )
  },
}

function trialOf(variant: Variant, sessions: number): Trial {
  const settings: Settings = { sessions }
  return {
    variant: variant.name,
    group: `${sessions} sessions`,
    cells: [settings],
    seconds: 3 + sessions / 10_000,
    rounds: ROUNDS,
    measure: async (context) => [await measure(variant, sessions, settings, context)],
  }
}

/** Whoever joins has a core of its own, as on a machine of its own. */
async function measure(variant: Variant, sessions: number, settings: Settings, context: TrialContext): Promise<Sample> {
  const { rig } = context
  const site = await rig.start(variant, { nodes: 1 })
  const [donor] = site.nodes
  if (donor === undefined) throw new Error('a site without servers')
  await donor.ask('fill', { sessions, ...SHAPE })

  const { load, marks, notes } = await context.window(async () => {
    const before = await sentBy(donor)
    const startedUs = monotonicUs()
    const joining = await rig.join(site, 'load')
    await joining.ready()
    const bytes = (await sentBy(donor)) - before
    const held = (await joining.ask('counters', null))['session_mesh_sessions'] ?? 0
    const readyUs = await momentOf(joining, 'ready')
    const linkedUs = await momentOf(joining, 'link-up')
    await joining.kill()
    const wrong = sessions - held
    return { operations: sessions, wrong, failed: 0, seconds: (readyUs - startedUs) / US_PER_S, startedUs, linkedUs, readyUs, bytes }
  })

  const { writing, lag } = await underWrites(donor, async () => {
    const joining = await rig.join(site, 'load')
    await joining.ready()
  })
  return {
    settings,
    figures: {
      ready: { unit: 's', value: load.seconds },
      readyAfterLink: { unit: 's', value: (load.readyUs - load.linkedUs) / US_PER_S },
      bytes: { unit: 'B', value: load.bytes },
      donorP99: { unit: 'ms', value: lag.p99 },
      donorLongest: { unit: 'ms', value: lag.longest },
    },
    marks,
    notes: [...notes, `the giving node made ${writing} writes while it handed over`],
  }
}

/** What the donor's own requests would have waited for its event loop while `happens`. */
async function underWrites(donor: Child, happens: () => Promise<void>): Promise<{ writing: number; lag: { p99: number; longest: number } }> {
  await donor.ask('lag', null)
  const stopped = { is: false }
  const churning = (async () => {
    let writing = 0
    while (!stopped.is) writing += (await donor.ask('churn', { ...WRITES, seconds: 0.1 })).writes
    return writing
  })()
  await happens()
  const lag = await donor.ask('lag', null)
  stopped.is = true
  return { writing: await churning, lag }
}

async function sentBy(donor: Child): Promise<number> {
  return (await donor.ask('counters', null))[SENT] ?? 0
}

async function momentOf(joining: Child, event: HistoryEntry['event']): Promise<number> {
  const entry = (await joining.ask('history', null)).find((one) => one.event === event)
  if (entry === undefined) throw new Error(`a node joined without ${event}`)
  return entry.atUs
}
