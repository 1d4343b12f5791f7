/**
 * Who knows what, as data: every file of src/ has one rule, every import must be in it. Each check is a function of
 * the files, so that the last test can plant a fault for each and see it found.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix, relative } from 'node:path'
import { describe, expect, test } from 'vitest'

type Files = ReadonlyMap<string, string>
type Check = (files: Files) => readonly string[]

const ROOT = join(import.meta.dirname, '..')

/** Leaves that everybody may use: they know nothing themselves. */
const LEAVES = ['src/errors.ts', 'src/invariant.ts', 'src/log.ts', 'src/deferred.ts', 'src/version.ts', 'src/metric-name.ts']
const WORDS = ['src/duration.ts', 'src/spelling.ts', 'src/address.ts']
const NODE = 'node:'

interface Area {
  /** Path prefixes of the files that the rule is for; of two that fit, the longer counts. */
  readonly files: readonly string[]
  /** Path prefixes within src/, and modules by name (`node:` is all of the platform). */
  readonly knows: readonly string[]
}

const AREAS: readonly Area[] = [
  { files: [...LEAVES, ...WORDS], knows: [...LEAVES] },
  { files: ['src/session/'], knows: ['src/session/', ...LEAVES, 'node:crypto', 'node:buffer', 'node:util'] },
  {
    files: ['src/replica/'],
    knows: ['src/replica/', 'src/session/session.ts', 'src/session/merged.ts', 'src/invariant.ts'],
  },
  {
    files: ['src/transport/'],
    knows: ['src/transport/', 'src/session/', 'src/replica/events.ts', ...LEAVES, ...WORDS, NODE],
  },
  { files: ['src/transport/websocket.ts', 'src/transport/wire.ts'], knows: ['ws'] },
  { files: ['src/transport/codec.ts'], knows: ['msgpackr'] },
  { files: ['src/backend/'], knows: ['src/backend/', 'src/session/', ...LEAVES, ...WORDS, NODE] },
  {
    files: ['src/backend/replicated/'],
    knows: ['src/replica/', 'src/transport/transport.ts', 'src/transport/codec.ts'],
  },
  {
    files: ['src/backend/open.ts'],
    knows: ['src/config/config.ts', 'src/transport/transport.ts', 'src/transport/websocket.ts'],
  },
  { files: ['src/backend/memory/'], knows: ['src/replica/merge/'] },
  { files: ['src/backend/redis/'], knows: ['src/replica/merge/', 'ioredis'] },
  {
    files: ['src/http/'],
    knows: ['src/http/', 'src/backend/backend.ts', 'src/session/', ...LEAVES, ...WORDS, NODE],
  },
  { files: ['src/http/carriers/set-cookie.ts', 'src/http/express-session/session-cookie.ts'], knows: ['cookie'] },
  { files: ['src/backends.ts'], knows: ['src/backend/'] },
  { files: ['src/express-session.ts'], knows: ['src/http/express-session/'] },
  {
    files: ['src/observe/'],
    knows: [
      'src/observe/',
      'src/backend/backend.ts',
      'src/session/id.ts',
      'src/config/input.ts',
      ...LEAVES,
      ...WORDS,
      NODE,
    ],
  },
  {
    files: ['src/config/'],
    knows: [
      'src/config/',
      'src/http/options.ts',
      'src/http/handle/merge-kinds.ts',
      'src/http/carriers/carrier-options.ts',
      'src/session/session.ts',
      'src/backend/backend.ts',
      ...LEAVES,
      ...WORDS,
      NODE,
    ],
  },
  { files: ['src/config/schema.ts', 'src/config/leaves.ts', 'src/config/problems.ts'], knows: ['zod'] },
  { files: ['src/config/file.ts'], knows: ['jiti'] },
  {
    files: ['src/cluster.ts'],
    knows: [
      'src/backend/backend.ts',
      'src/backend/open.ts',
      'src/express-session.ts',
      'src/http/',
      'src/observe/',
      'src/config/',
      'src/session/random-pool.ts',
      'src/session/session.ts',
      ...LEAVES,
      ...WORDS,
      NODE,
    ],
  },
  {
    files: ['src/simulator/'],
    knows: ['src/simulator/', 'src/replica/', 'src/session/', 'src/transport/codec.ts', ...LEAVES],
  },
  { files: ['src/advisor/'], knows: ['src/advisor/', ...LEAVES] },
  { files: ['src/advisor/run-file.ts'], knows: ['zod'] },
  // Knows nothing of this package's sessions: it audits anybody's store.
  { files: ['src/auditor/'], knows: ['src/auditor/', ...LEAVES, NODE] },
  {
    files: ['src/cli/'],
    knows: [
      'src/cli/',
      'src/advisor/',
      'src/auditor/',
      'src/cluster.ts',
      'src/config/',
      'src/observe/',
      'src/simulator/',
      'cac',
      ...LEAVES,
      ...WORDS,
      NODE,
    ],
  },
  { files: ['src/cli/ask-status.ts'], knows: ['zod'] },
  { files: ['src/cli/migrate.ts'], knows: ['src/backend/', 'src/session/session.ts'] },
  {
    files: ['src/index.ts'],
    knows: [
      'src/cluster.ts',
      'src/config/',
      'src/backend/backend.ts',
      'src/http/',
      'src/observe/',
      'src/session/',
      ...LEAVES,
      ...WORDS,
    ],
  },
]

/** Where the real clock, the real dice and the environment may be touched. */
const OUTSIDE_WORLD = ['src/cluster.ts', 'src/express-session.ts', 'src/cli/']
const CLOCK_OR_DICE =
  /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bprocess\.(?:env|hrtime|argv|stdout|stderr|exit|on)\b|\bperformance\.now\b|\brandomUUID\b|\bgetRandomValues\b|import \{[^}]*\brandomBytes\b[^}]*\} from 'node:crypto'/
const NOT_IN_A_REPLICA =
  /\bDate\b(?!\.UTC)|\bMath\.random\b|\bset(?:Timeout|Interval|Immediate)\b|\bqueueMicrotask\b|\bprocess\b|\bPromise\b|\basync\b|\bawait\b|\bBuffer\b|\bconsole\b/
const LINES_MAX = 350
/** Files that have outgrown it, and how long they are allowed to stay: these numbers only ever fall. */
const LONGER: Readonly<Record<string, number>> = {}

// ── Checks ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Imports that the importing file's rule does not allow, and files without a rule. */
const importsOutsideTheTable: Check = (files) => {
  return [...files].flatMap(([file, text]) => {
    const rules = AREAS.filter((area) => area.files.some((prefix) => file.startsWith(prefix)))
    if (rules.length === 0) return [`${file} has no rule`]
    const knows = rules.flatMap((rule) => rule.knows)
    return importsOf(file, text)
      .filter((target) => !knows.some((prefix) => target === prefix || (isPrefix(prefix) && target.startsWith(prefix))))
      .map((target) => `${file} must not know ${target}`)
  })
}

const isPrefix = (name: string): boolean => /[/:]$/.test(name)

const importsOfTheIndex: Check = (files) => {
  return [...files].flatMap(([file, text]) => {
    return importsOf(file, text).includes('src/index.ts') ? [`${file} imports the public face`] : []
  })
}

/** Entry points for one framework each: nothing of the package needs them. */
const ADAPTERS = 'src/http/adapters/'

const importsOfAdapters: Check = (files) => {
  return [...files].flatMap(([file, text]) => {
    const guilty = importsOf(file, text).filter((target) => target.startsWith(ADAPTERS))
    return guilty.map((target) => `${file} imports the adapter ${target}`)
  })
}

/** Imports that lead back to the file they begin in, of types as well: what needs each other is one noun, or three. */
const circles: Check = (files) => {
  const targets = new Map([...files].map(([file, text]) => [file, importsOf(file, text)]))
  const leadsTo = (file: string): ReadonlySet<string> => {
    const reached = new Set(targets.get(file))
    for (const next of reached) targets.get(next)?.forEach((target) => reached.add(target))
    return reached
  }
  return [...targets.keys()].flatMap((file) => (leadsTo(file).has(file) ? [`${file} is in a circle of imports`] : []))
}

const outsideWorld: Check = (files) => {
  const inside = [...files].filter(([file]) => !OUTSIDE_WORLD.some((allowed) => file.startsWith(allowed)))
  return inside.flatMap(([file, text]) => found(file, text, CLOCK_OR_DICE))
}

const impureReplica: Check = (files) => {
  const replica = [...files].filter(([file]) => file.startsWith('src/replica/'))
  return replica.flatMap(([file, text]) => found(file, text, NOT_IN_A_REPLICA))
}

const longFiles: Check = (files) => {
  const lengths = [...files].map(([file, text]) => [file, text.trimEnd().split('\n').length] as const)
  const tooLong = lengths.filter(([file, lines]) => lines > (LONGER[file] ?? LINES_MAX))
  return tooLong.map(([file, lines]) => `${file} has ${lines} lines`)
}

/** `require()` of an ES module fails when anything it reaches awaits at top level. */
const topLevelAwait: Check = (files) => {
  return [...files].flatMap(([file, text]) => {
    const isGuilty = /^(?!.*\basync\b)(?:await\b|\S.*\bawait\b)/m.test(withoutComments(text))
    return isGuilty ? [`${file} awaits at top level`] : []
  })
}

/** One expression per check, with the file, the line's number and what was found. */
function found(file: string, text: string, pattern: RegExp): readonly string[] {
  return withoutComments(text)
    .split('\n')
    .flatMap((line, index) => {
      const [match] = pattern.exec(line) ?? []
      return match === undefined ? [] : [`${file}:${index + 1} uses ${match}`]
    })
}

/** Comments and the contents of strings become blanks; lines keep their numbers. Imports keep their names. */
function withoutComments(text: string): string {
  return text
    .replace(/\/\*[^]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|\s)\/\/.*$/gm, '$1')
    .replace(/^(?!import|\}? ?from).*$/gm, (line) => line.replace(/'(?:[^'\\]|\\.)*'/g, "''"))
}

/** Files within src/ as paths from the root, everything else by its name. */
function importsOf(file: string, text: string): readonly string[] {
  const code = text.replace(/\/\*[^]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
  const specifiers = [
    ...code.matchAll(/^\s*(?:import|export)\s[^'"`;]*?\bfrom\s+['"]([^'"]+)['"]/gm),
    ...code.matchAll(/^\s*import\s+['"]([^'"]+)['"]/gm),
    ...code.matchAll(/\b(?:import|require)\(\s*['"]([^'"]+)['"]/g),
  ].map(([, specifier = '']) => specifier)
  return specifiers.map((specifier) => {
    if (specifier.startsWith('.')) return posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts')
    if (specifier.startsWith(NODE)) return specifier
    return specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
  })
}

function readSources(): Files {
  const names = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  const sources = names.filter((name) => name.endsWith('.ts')).sort()
  return new Map(
    sources.map((name) => {
      const path = join(ROOT, 'src', name)
      return [relative(ROOT, path).replaceAll('\\', '/'), readFileSync(path, 'utf8')]
    }),
  )
}

// ── Tests ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const sources = readSources()

const CHECKS: Readonly<Record<string, Check>> = {
  'every file knows only what the table allows': importsOutsideTheTable,
  'nothing inside imports the public face': importsOfTheIndex,
  'nothing imports an adapter for a framework': importsOfAdapters,
  'imports lead in no circle': circles,
  'only the composition root and the command line touch clock, dice and environment': outsideWorld,
  'a replica sees no clock, dice, timer, promise or process': impureReplica,
  [`no file is longer than ${LINES_MAX} lines`]: longFiles,
  'no file awaits at top level': topLevelAwait,
}

describe('the sources', () => {
  test('are found', () => {
    expect(sources.has('src/index.ts')).toBe(true)
    expect(sources.size).toBeGreaterThan(40)
  })

  test.each(Object.entries(CHECKS))('%s', (_rule, check) => {
    expect(check(sources)).toEqual([])
  })
})

describe('each check finds its planted fault', () => {
  test.each<readonly [check: Check, file: string, text: string, violation: string]>([
    [importsOutsideTheTable, 'src/http/x.ts', "import { a } from '../backend/tiered.js'", 'must not know src/backend/tiered.ts'],
    [importsOutsideTheTable, 'src/http/x.ts', "import {\n  A,\n} from '../cluster.js'", 'must not know src/cluster.ts'],
    [importsOutsideTheTable, 'src/replica/x.ts', "import { hash } from 'node:crypto'", 'must not know node:crypto'],
    [importsOutsideTheTable, 'src/backend/memory/memory.ts', "export * from '../../replica/hlc.js'", 'must not know src/replica/hlc.ts'],
    [importsOutsideTheTable, 'src/session/x.ts', "const a = import('msgpackr/unpack')", 'must not know msgpackr'],
    [importsOutsideTheTable, 'src/session/x.ts', "import 'ws'", 'must not know ws'],
    [importsOutsideTheTable, 'src/cluster.ts', "import { a } from './cli/run.js'", 'must not know src/cli/run.ts'],
    [importsOutsideTheTable, 'src/other/x.ts', '', 'has no rule'],
    [importsOfTheIndex, 'src/cli/x.ts', "import { a } from '../index.js'", 'imports the public face'],
    [importsOfAdapters, 'src/http/x.ts', "import { a } from './adapters/koa.js'", 'imports the adapter src/http/adapters/koa.ts'],
    [circles, 'src/http/x.ts', "import type { A } from './x.js'", 'is in a circle of imports'],
    [outsideWorld, 'src/http/x.ts', 'const a =\n  Date.now()', 'uses Date.now'],
    [outsideWorld, 'src/config/config.ts', 'const a = process.env.A', 'uses process.env'],
    [outsideWorld, 'src/backend/x.ts', 'const a = Math.random()', 'uses Math.random'],
    [outsideWorld, 'src/backend/x.ts', "import { randomBytes } from 'node:crypto'", 'uses import { randomBytes }'],
    [impureReplica, 'src/replica/x.ts', '/* Date */ setTimeout(f)', 'uses setTimeout'],
    [impureReplica, 'src/replica/x.ts', 'function f(): Promise<void> {}', 'uses Promise'],
    [longFiles, 'src/http/x.ts', '\n'.repeat(LINES_MAX) + 'x', `has ${LINES_MAX + 1} lines`],
    [topLevelAwait, 'src/http/x.ts', 'const a = await f()', 'awaits at top level'],
    [topLevelAwait, 'src/http/x.ts', 'await f()', 'awaits at top level'],
  ])('%o in %s, %j: it %s', (check, file, text, violation) => {
    const [line = '', ...more] = check(new Map([[file, text]]))

    expect(line).toMatch(new RegExp(`^${file}(:\\d+)? `))
    expect(line).toContain(violation)
    expect(more).toEqual([])
  })

  test('and nothing where a word only stands in a comment or a text', () => {
    const text = "/** Date.now() */\n// Math.random()\nconst a = 'process.env'\n"
    const files = new Map([['src/replica/x.ts', text]])

    expect(Object.values(CHECKS).flatMap((check) => check(files))).toEqual([])
    expect(topLevelAwait(new Map([['src/http/x.ts', 'async function f() { await g() }']]))).toEqual([])
  })
})
