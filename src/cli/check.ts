import type { CAC } from 'cac'
import type { ResolvedConfig } from '../config/config.js'
import { formatDuration } from '../duration.js'
import { loadConfig, withNodeFlags } from './config-flags.js'
import { Exit, type ExitCode } from './exit.js'
import type { CliIo } from './io.js'
import { paintFor } from './paint.js'

/** `check`: validates a configuration and shows what it comes to. Opens nothing. */
export function register(cli: CAC, io: CliIo): void {
  withNodeFlags(cli.command('check', 'Validate the configuration and show what it comes to')).action(
    async (flags: { readonly json?: boolean }) => await check(cli, io, flags.json === true),
  )
}

async function check(cli: CAC, io: CliIo, json: boolean): Promise<ExitCode> {
  const { path, config } = await loadConfig(cli, io)
  const summary = summarize(config)
  if (json) {
    io.stdout.write(`${JSON.stringify({ path, ...Object.fromEntries(summary), notes: config.notes })}\n`)
    return Exit.ok
  }
  const paint = paintFor(io.stdout, io.environment.variables)
  const width = Math.max(...summary.map(([key]) => key.length))
  io.stdout.write(`${paint('green', 'valid')} ${path}\n`)
  for (const [key, value] of summary) io.stdout.write(`  ${paint('dim', key.padEnd(width))}  ${value}\n`)
  for (const { level, event, detail } of config.notes) {
    io.stdout.write(`${paint(level === 'warn' ? 'yellow' : 'dim', event)}: ${detail}\n`)
  }
  return Exit.ok
}

/** What the options come to, in words. Secrets are counted, never shown. */
function summarize(config: ResolvedConfig): readonly (readonly [string, string])[] {
  const { session, limits, backend } = config
  const { cookie } = session
  return [
    ['name', config.name],
    ['node.id', config.node.id],
    ['node.listen', config.node.listen],
    ['node.advertise', config.node.advertise ?? 'where it listens'],
    ['peers', config.peers.join(', ') || 'none'],
    ['secret', describeSecrets(config)],
    ['tls', config.tls === undefined ? 'no' : 'both sides'],
    ['backend', backend.type],
    ...(backend.type === 'replicated' ? summarizeReplicated(backend) : []),
    ['limits', `${limits.sessions} sessions of ${limits.sessionBytes} bytes and ${limits.attributes} attributes`],
    ['session.ttl', formatDuration(session.ttl)],
    ['session.maxLifetime', formatDuration(session.maxLifetime)],
    ['session.cookie', `${cookie.name}; SameSite=${cookie.sameSite}; Secure=${cookie.secure}; Path=${cookie.path}`],
    ['session.load', session.load],
    ['admin.listen', config.admin?.listen ?? 'none'],
  ]
}

type Replicated = Extract<ResolvedConfig['backend'], { readonly type: 'replicated' }>

function summarizeReplicated({ acks, stamps, bootstrapTimeout }: Replicated): readonly (readonly [string, string])[] {
  const within = formatDuration(acks.within)
  return [
    ['backend.acks', `write ${acks.write}, kill ${acks.kill}, rotate ${acks.rotate}, within ${within}`],
    ['backend.stamps', `wait ${formatDuration(stamps.wait)}, then ${stamps.onStale}; lost: ${stamps.onLost}`],
    ['backend.bootstrapTimeout', formatDuration(bootstrapTimeout)],
  ]
}

function describeSecrets({ secrets, name }: ResolvedConfig): string {
  if (secrets.length === 0) return `none: keys derive from the name ${name}`
  const sizes = secrets.map((secret) => `${Buffer.byteLength(secret)} bytes`)
  return `${secrets.length} (${sizes.join(', ')}); the first signs`
}
