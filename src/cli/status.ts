import type { CAC } from 'cac'
import { formatAddress, isLoopback, parseAddress } from '../address.js'
import type { ResolvedConfig } from '../config/config.js'
import { formatDuration } from '../duration.js'
import { askStatus } from './ask-status.js'
import { loadConfig, withConfigFlag } from './config-flags.js'
import { Exit, usageError, type ExitCode } from './exit.js'
import type { CliIo } from './io.js'
import { paintFor, type Paint } from './paint.js'
import type { MemberStatus } from '../observe/admin-server.js'

/** `status`: what a running member says of itself and its peers. */
export function register(cli: CAC, io: CliIo): void {
  withConfigFlag(
    cli.command('status [address]', "Ask a running member (default: the configuration's admin.listen)"),
  ).action(async (address: string | number | undefined, flags: { readonly json?: boolean }) => {
    return await status(cli, io, address === undefined ? undefined : String(address), flags.json === true)
  })
}

async function status(cli: CAC, io: CliIo, given: string | undefined, json: boolean): Promise<ExitCode> {
  const { config } = await loadConfig(cli, io)
  const address = addressToAsk(given, config)
  const member = await askStatus(address, config.secrets, io)
  if (json) io.stdout.write(`${JSON.stringify(member)}\n`)
  else io.stdout.write(render(member, io.environment.now(), paintFor(io.stdout, io.environment.variables)))
  return Exit.ok
}

function addressToAsk(given: string | undefined, { admin }: ResolvedConfig): string {
  const text = given ?? admin?.listen
  if (text === undefined) throw usageError('no address given, and the configuration has no admin.listen')
  const address = parseAddress(text)
  if (address === undefined || address.port === 0) throw usageError(`${text} is not an address (expected host:port)`)
  if (!isLoopback(address.host)) throw usageError(`${text} is not loopback: members answer on their own machine only`)
  return formatAddress(address)
}

function render(member: MemberStatus, now: number, paint: Paint): string {
  const state = member.ready ? paint('green', 'ready') : paint('yellow', `not ready: ${member.detail}`)
  const up = formatDuration(Math.max(0, Math.round((now - member.startedAt) / 1_000) * 1_000))
  const lines = [
    `${paint('bold', member.node)} of ${member.cluster}: ${state}`,
    `  backend   ${member.backend}`,
    `  sessions  ${member.sessions} (${member.bytes} bytes)`,
    `  up        ${up}`,
    `  version   ${member.version}`,
    ...member.peers.map((peer) => {
      const style = peer.state === 'up' ? 'green' : 'red'
      const detail = peer.detail === undefined ? '' : `  ${peer.detail}`
      return `  peer      ${peer.node}  ${peer.address}  ${paint(style, peer.state)}${detail}`
    }),
  ]
  return `${lines.join('\n')}\n`
}
