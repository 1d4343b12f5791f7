import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { CAC } from 'cac'
import type { Page } from './demo/control.js'
import { Demo } from './demo/demo.js'
import { demoOptions, type Flags } from './demo/options.js'
import { CliError, Exit } from './exit.js'
import type { CliIo } from './io.js'

const NODE_ENTRY = new URL('../../examples/shop/node.js', import.meta.url)
const PAGE = new URL('../../examples/shop/page.js', import.meta.url)

/** `demo`: three nodes of a small shop behind a round robin, to look at, or to check by itself. */
export function register(cli: CAC, io: CliIo): void {
  cli
    .command('demo', 'Three nodes, one shop, no sticky sessions: look at it, or let it check itself')
    .option('--check', 'Walk through the whole story, then exit with 0 or 1')
    .option('--store <store>', 'mesh or memory: what to begin with; with --check, the only one to check')
    .option('--backend <type>', 'replicated, redis or tiered: redis-server is started if REDIS_URL is not set', {
      default: 'replicated',
    })
    .option('--nodes <count>', 'Processes', { default: 3 })
    .option('--port <port>', 'Where the shop answers; 0 takes a free port', { default: 0 })
    .option('--sessions <count>', 'Browsers of the load', { default: 1_000 })
    .option('--clicks <count>', 'Clicks of each browser', { default: 20 })
    .option('--concurrency <count>', 'Browsers that are busy at one time', { default: 50 })
    .action(async (flags: Flags) => await demo(flags, io))
}

async function demo(flags: Flags, io: CliIo): Promise<number> {
  const options = demoOptions(flags)
  const missing = whatIsMissing()
  if (missing !== undefined) throw new CliError(Exit.unavailable, 'SESSION_MESH_DEMO', missing)
  const { page }: { readonly page: Page } = await import(PAGE.href)
  return await new Demo(options, NODE_ENTRY, page, io).run()
}

/** The shop is an example that needs Express; this package itself does not. */
function whatIsMissing(): string | undefined {
  if (!existsSync(NODE_ENTRY)) return 'the demo shop is not part of this installation; clone the repository'
  const { resolve } = createRequire(NODE_ENTRY)
  try {
    resolve('express')
    resolve('express-session')
    return undefined
  } catch {
    return 'the demo shop needs Express: npm install express express-session'
  }
}
