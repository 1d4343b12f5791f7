import { cac, type CAC } from 'cac'
import { ConfigFileError } from '../config/file.js'
import { ConfigError, HandshakeError, SessionMeshError } from '../errors.js'
import { didYouMean } from '../spelling.js'
import { VERSION } from '../version.js'
import { register as registerAdvise } from './advise.js'
import { register as registerAudit } from './audit.js'
import { register as registerBench } from './bench.js'
import { register as registerCheck } from './check.js'
import { register as registerDemo } from './demo.js'
import { CliError, Exit, usageError } from './exit.js'
import type { CliIo } from './io.js'
import { register as registerMigrate } from './migrate.js'
import { register as registerSimulate } from './simulate.js'
import { register as registerStart } from './start.js'
import { register as registerStatus } from './status.js'

type Register = (cli: CAC, io: CliIo) => void

/** Each command lives in a file of its own and registers itself. Its action answers with the exit code, if not 0. */
const COMMANDS: readonly Register[] = [
  registerStart,
  registerStatus,
  registerCheck,
  registerDemo,
  registerSimulate,
  registerBench,
  registerMigrate,
  registerAudit,
  registerAdvise,
]

/** Runs one command line (without node and script) to its exit code. Never throws. */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  try {
    return await dispatch(args, io)
  } catch (error) {
    return reportFailure(error, args.includes('--json'), io)
  }
}

async function dispatch(args: readonly string[], io: CliIo): Promise<number> {
  const cli = cac('session-mesh').option('--json', 'Answer in JSON, failures too').help().version(VERSION)
  for (const register of COMMANDS) register(cli, io)
  if (args.length === 0) {
    cli.outputHelp()
    return Exit.usage
  }

  cli.parse(['node', 'session-mesh', ...args], { run: false })
  const { help, version } = cli.options
  if (help === true || (version === true && cli.matchedCommandName === undefined)) return Exit.ok
  checkFlags(cli)
  if (cli.matchedCommand === undefined) throw unknownCommand(cli)
  const exit: unknown = await cli.runMatchedCommand()
  return typeof exit === 'number' ? exit : Exit.ok
}

function unknownCommand(cli: CAC): CliError {
  const [name] = cli.args
  const known = cli.commands.map((command) => command.name)
  if (name === undefined) return usageError(`no command given (expected one of ${known.join(', ')})`)
  return usageError(`unknown command ${name} (expected one of ${known.join(', ')}${didYouMean(name, known)})`)
}

/** Unknown and repeated flags; flags without their value are found by the parser. */
function checkFlags(cli: CAC): void {
  const options = [...cli.globalCommand.options, ...(cli.matchedCommand?.options ?? [])]
  const known = options.flatMap((option) => option.names)
  for (const [name, value] of Object.entries<unknown>(cli.options)) {
    if (name === '--') continue
    const flag = name.length > 1 ? `--${dashed(name)}` : `-${name}`
    if (!known.includes(name)) {
      throw usageError(`unknown flag ${flag}${didYouMean(flag, known.map((candidate) => `--${dashed(candidate)}`))}`)
    }
    if (Array.isArray(value)) throw usageError(`${flag} is given ${value.length} times`)
  }
}

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** Tells a failure on stderr: lines for people, or one JSON object with `code`. Answers with the exit code. */
function reportFailure(error: unknown, json: boolean, io: CliIo): number {
  const { exit, code, message } = classify(error)
  if (json) {
    const problems = error instanceof ConfigError ? { problems: error.problems } : {}
    io.stderr.write(`${JSON.stringify({ code, exit, message, ...problems })}\n`)
    return exit
  }
  io.stderr.write(`session-mesh: ${message}\n`)
  if (exit === Exit.usage) io.stderr.write('Run session-mesh --help for the commands and their flags.\n')
  return exit
}

function classify(error: unknown): { readonly exit: number; readonly code: string; readonly message: string } {
  if (error instanceof CliError) return error
  if (error instanceof ConfigFileError) return { exit: Exit.noConfigFile, code: error.code, message: error.message }
  if (error instanceof ConfigError) return { exit: Exit.config, code: error.code, message: error.message }
  if (error instanceof HandshakeError && error.rule === 'bad-secret') {
    return { exit: Exit.wrongSecret, code: error.code, message: error.message }
  }
  if (error instanceof SessionMeshError) return { exit: Exit.unavailable, code: error.code, message: error.message }
  if (error instanceof Error && error.name === 'CACError') {
    return { exit: Exit.usage, code: 'SESSION_MESH_USAGE', message: error.message.replaceAll('`', '') }
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { exit: Exit.internal, code: 'SESSION_MESH_INTERNAL', message: text }
}
