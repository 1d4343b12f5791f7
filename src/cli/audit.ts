import type { CAC } from 'cac'
import { audit, CHECKS, type Finding } from '../auditor/audit.js'
import type { Check } from '../auditor/check.js'
import { loadExpressSession, loadStore, StoreModuleError } from '../auditor/module.js'
import { asData, asMarkdown, gradeOf, inWords, SIGNS, type Grade } from '../auditor/scorecard.js'
import { didYouMean } from '../spelling.js'
import { textFlag } from './config-flags.js'
import { CliError, Exit, usageError } from './exit.js'
import type { CliIo } from './io.js'
import { paintFor, type Paint } from './paint.js'

const TRIALS = 200
const TRIALS_MAX = 100_000
const FAILED = 1
const ENDS_AFTER_MS = 500
const COLOURS = { 'passed': 'green', 'failed': 'red', 'not-tried': 'dim' } as const

/** `audit`: runs any store of express-session through what goes wrong with sessions. */
export function register(cli: CAC, io: CliIo): void {
  cli
    .command('audit', 'Try what goes wrong with sessions on any store of express-session')
    .option('--store <module>', 'File or package that exports a store or (session) => store; #name for an export')
    .option('--trials <count>', `Trials of what depends on luck (${TRIALS})`)
    .option('--only <checks>', `Of ${CHECKS.map(({ name }) => name).join(', ')}`)
    .option('--card', 'Answer with a table in Markdown')
    .option('--strict', 'Exit with 1 when a check failed')
    .action(async (flags: Flags) => await run(cli, io, flags))
}

interface Flags {
  readonly trials?: unknown
  readonly json?: boolean
  readonly card?: boolean
  readonly strict?: boolean
}

async function run(cli: CAC, io: CliIo, flags: Flags): Promise<number> {
  const source = textFlag(cli, 'store')
  if (source === undefined) throw usageError('--store is missing (a file or a package that exports a store)')
  const checks = checksOf(textFlag(cli, 'only'))
  const { trials = TRIALS } = flags
  if (typeof trials !== 'number' || !Number.isInteger(trials) || trials < 1 || trials > TRIALS_MAX) {
    throw usageError(`--trials must be a whole number from 1 to ${TRIALS_MAX} (got ${JSON.stringify(trials)})`)
  }
  const paint = paintFor(io.stdout, io.environment.variables)
  const { version, findings } = await auditOf(source, { trials, checks, tell: teller(io, flags) }, io)
  const data = { store: source, expressSession: version, findings: asData(findings) }
  if (flags.json === true) io.stdout.write(`${JSON.stringify(data)}\n`)
  else if (flags.card === true) io.stdout.write(`${asMarkdown([{ title: source, findings }])}\n`)
  else print(source, { version, findings }, paint, io)
  const hasFailed = findings.some(({ outcome }) => gradeOf(outcome) === 'failed')
  const exit = flags.strict === true && hasFailed ? FAILED : Exit.ok
  // Somebody's store may keep connections and timers for ever.
  setTimeout(io.exit, ENDS_AFTER_MS, exit).unref()
  return exit
}

function checksOf(only: string | undefined): readonly Check[] {
  if (only === undefined) return CHECKS
  const known = CHECKS.map(({ name }) => name)
  const names = only.split(',').map((name) => name.trim())
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) {
    throw usageError(`--only: there is no check ${unknown} (of ${known.join(', ')}${didYouMean(unknown, known)})`)
  }
  return CHECKS.filter(({ name }) => names.includes(name))
}

interface Asked {
  readonly trials: number
  readonly checks: readonly Check[]
  readonly tell: (check: Check) => void
}

interface Audit {
  /** Of express-session. */
  readonly version: string
  readonly findings: readonly Finding[]
}

async function auditOf(source: string, { trials, checks, tell }: Asked, io: CliIo): Promise<Audit> {
  try {
    const { expressSession, version } = await loadExpressSession(io.cwd)
    const audited = await loadStore(source, io.cwd, expressSession)
    try {
      const findings = await audit(audited, {
        expressSession,
        trials,
        checks,
        now: io.environment.now,
        wait: async (ms) => await new Promise((resolve) => void setTimeout(resolve, ms)),
        randomBytes: io.randomBytes,
        began: tell,
      })
      return { version, findings }
    } finally {
      await audited.close?.()
    }
  } catch (error) {
    if (error instanceof StoreModuleError) throw new CliError(Exit.unavailable, error.code, error.message)
    throw error
  }
}

/** For people at a terminal: which check runs. */
function teller(io: CliIo, { json = false, card = false }: Flags): (check: Check) => void {
  if (io.stderr.isTTY !== true || json || card) return () => {}
  return ({ title }) => void io.stderr.write(`\r\u001B[K${title} …`)
}

function print(source: string, { version, findings }: Audit, paint: Paint, io: CliIo): void {
  if (io.stderr.isTTY === true) io.stderr.write('\r\u001B[K')
  const width = Math.max(...findings.map(({ check }) => check.title.length))
  io.stdout.write(`${paint('bold', source)} under express-session ${version}\n`)
  for (const { check, outcome } of findings) {
    const grade = gradeOf(outcome)
    io.stdout.write(`  ${paint(COLOURS[grade], SIGNS[grade])} ${check.title.padEnd(width)}  ${inWords(outcome)}\n`)
    if (grade === 'failed') io.stdout.write(`    ${paint('dim', check.why)}\n`)
  }
  const of = (grade: Grade): number => findings.filter(({ outcome }) => gradeOf(outcome) === grade).length
  io.stdout.write(`${of('passed')} kept, ${of('failed')} broken, ${of('not-tried')} not tried\n`)
}
