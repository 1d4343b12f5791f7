import type { CAC } from 'cac'
import { openCluster } from '../cluster.js'
import type { ResolvedConfig } from '../config/config.js'
import { loadConfig, withNodeFlags } from './config-flags.js'
import { Exit, type ExitCode } from './exit.js'
import type { CliIo } from './io.js'
import { paintFor } from './paint.js'

/** `start`: a member that holds sessions and serves no application, so that they outlive a restart of all that do. */
export function register(cli: CAC, io: CliIo): void {
  withNodeFlags(cli.command('start', 'Run a member that holds sessions and serves no application')).action(
    async (flags: { readonly json?: boolean }) => await start(cli, io, flags.json === true),
  )
}

async function start(cli: CAC, io: CliIo, json: boolean): Promise<ExitCode> {
  const { config } = await loadConfig(cli, io)
  // Asked for before opening, so that a signal during the join ends it as well.
  const stop = untilSignal(io)
  try {
    await runMember(config, stop.requested, narrator(io, json))
    return Exit.ok
  } finally {
    stop.forget()
  }
}

async function runMember(config: ResolvedConfig, stopped: Promise<string>, tell: Tell): Promise<void> {
  const cluster = await openCluster(config)
  try {
    const { node, adminAddress } = cluster
    const admin = adminAddress === '' ? '' : `, admin on http://${adminAddress}`
    const text = `node ${node} of ${config.name} started, peers on ${config.node.listen}${admin}`
    tell('started', text, { node, cluster: config.name, admin: adminAddress })

    const ready = cluster.ready().then(() => true)
    // A join that a signal cuts short may end in a rejection that nobody waits for any more.
    ready.catch(() => {})
    if (await Promise.race([ready, stopped.then(() => false)])) {
      tell('ready', 'ready', { peers: cluster.backend.health().peers })
    }
    tell('draining', `${await stopped}: draining`)
  } finally {
    await cluster.close()
  }
  tell('stopped', 'stopped')
}

type Tell = (event: string, text: string, fields?: object) => void

/** Says what happens, and when: a line for people, or one JSON object. */
function narrator(io: CliIo, json: boolean): Tell {
  const { now, variables } = io.environment
  const paint = paintFor(io.stdout, variables)
  const startedAt = now()
  return (event, text, fields = {}) => {
    const afterMs = now() - startedAt
    const line = json ? JSON.stringify({ event, afterMs, ...fields }) : `${text} ${paint('dim', `(${afterMs} ms)`)}`
    io.stdout.write(`${line}\n`)
  }
}

/** The first SIGTERM or SIGINT asks to stop; a SIGINT after that ends the process at once. */
function untilSignal(io: CliIo): { readonly requested: Promise<string>; readonly forget: () => void } {
  const forget: (() => void)[] = []
  const requested = new Promise<string>((resolve) => {
    let isStopping = false
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      forget.push(
        io.onSignal(signal, () => {
          if (isStopping && signal === 'SIGINT') io.exit(Exit.interrupted)
          isStopping = true
          resolve(signal)
        }),
      )
    }
  })
  return { requested, forget: () => forget.forEach((undo) => undo()) }
}
