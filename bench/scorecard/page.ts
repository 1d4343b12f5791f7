/** The scorecard as a page of the documentation. */
import { CHECKS } from '../../src/auditor/audit.js'
import { asMarkdown, type Column } from '../../src/auditor/scorecard.js'
import { moment } from '../report/format.js'
import type { Machine } from '../results.js'

export interface Circumstances {
  readonly at: string
  readonly commit: string
  readonly machine: Machine
  readonly trials: number
}

export function scorecardPage(columns: readonly Column[], { at, commit, machine, trials }: Circumstances): string {
  const { cpu, cores, node, redis, packages } = machine
  return `# What stores of express-session promise, and keep

Made by \`npm run scorecard\` on ${moment(at)} at ${commit}, with express-session ${packages['express-session'] ?? 'unknown'},
Node ${node.replace(/^v/, '')} and Redis ${redis} on ${cores} cores of ${cpu}. Nothing in the table was written by hand.

${asMarkdown(columns)}

✓ kept, ✗ broken, – not tried.

## How it is asked

Each store is made as its own documentation says and mounted in express-session with \`resave: false\` and
\`saveUninitialized: false\`. Requests are real HTTP requests to a server in the same process. Where several nodes can share
the sessions, two instances are used, and the second of two requests goes to the second one. Races are tried ${trials} times,
and every trial is the worst case: the audit holds one request until the other is where it hurts. An application sees them
less often than that, but it sees them. Trials that a busy machine spoilt (those against the clock) do not count.

${CHECKS.map(({ title, why }) => `* **${title}**: ${why}`).join('\n')}

An outage is a redis-server that is frozen (SIGSTOP) and let go again, so that nothing is lost in it; where there is nothing
to take away, it is not tried. connect-redis waits as long as its client does, and node-redis waits for ever unless its
options say otherwise.

## What to make of it

Most rows that are broken are not mistakes of a store. express-session hands a store the whole session and nothing about
what changed, so a store that writes what it is given cannot keep two of them apart. Who never changes a session in two
requests at a time will not notice. What is not asked here: speed (that is [the benchmark](benchmark.md)), memory, and what
happens when processes are killed. \`SessionMeshStore\` refuses attributes whose name is empty; the others keep them.

## Your own store

\`\`\`sh
npx session-mesh audit --store ./my-store.js            # a class, an instance, or (session) => store
npx session-mesh audit --store memorystore --strict     # a package; exit code 1 when anything is broken
npx session-mesh audit --store ./my-store.js --json     # or --card, for a table like the one above
\`\`\`

The module may export \`{ store, other, outage: { begin, end }, close }\` instead of the store alone: \`other\` is the same
sessions through another node, \`outage\` takes away what the store keeps them in and gives it back. The audit makes and
destroys sessions, and calls \`clear\` only on a store that was empty.
`
}
