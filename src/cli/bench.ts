import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { CAC } from 'cac'
import { BENCH_FLAGS } from './bench/flags.js'
import { CliError, Exit } from './exit.js'
import type { CliIo } from './io.js'

const ENTRY = new URL('../../bench/main.js', import.meta.url)

/** `bench`: measures the backends on this machine, and the user's own configuration beside them. */
export function register(cli: CAC, io: CliIo): void {
  const command = cli.command('bench', 'Measure backends and your own configuration on this machine')
  for (const [flag, description] of BENCH_FLAGS) command.option(flag, description)
  command.action(async (flags: Readonly<Record<string, unknown>>) => await bench(flags, io))
}

/** A process of its own, which pins itself and its servers to cores. */
async function bench(flags: Readonly<Record<string, unknown>>, io: CliIo): Promise<number> {
  if (!existsSync(ENTRY)) throw new CliError(Exit.unavailable, 'SESSION_MESH_BENCH', 'npm run build first')
  const child = spawn(process.execPath, [fileURLToPath(ENTRY), ...argumentsOf(flags)], {
    cwd: io.cwd,
    env: io.environment.variables,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.on('data', (bytes: Buffer) => io.stdout.write(bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => io.stderr.write(bytes.toString()))
  // It writes down what it has and ends by itself; a terminal sends the signal to both, which is no matter.
  const forget = (['SIGINT', 'SIGTERM'] as const).map((signal) => io.onSignal(signal, () => child.kill(signal)))
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    return code ?? Exit.internal
  } finally {
    forget.forEach((undo) => undo())
  }
}

/** The command line again, as it was before it was read. */
function argumentsOf(flags: Readonly<Record<string, unknown>>): readonly string[] {
  return BENCH_FLAGS.flatMap(([flag]) => {
    const [dashed = ''] = flag.split(' ')
    const value = flags[dashed.slice(2)]
    if (value === undefined || value === false) return []
    return typeof value === 'string' || typeof value === 'number' ? [dashed, String(value)] : [dashed]
  })
}
