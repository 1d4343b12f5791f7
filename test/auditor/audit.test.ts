import expressSession from 'express-session'
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { audit, CHECKS, type Finding } from '../../src/auditor/audit.js'
import { LIFETIMES } from '../../src/auditor/checks/lifetimes.js'
import { gradeOf, type Grade } from '../../src/auditor/scorecard.js'
import type { Audited, AuditedStore, Callback } from '../../src/auditor/store.js'
import { SessionMeshStore } from '../../src/express-session.js'
import { memory, replicated } from '../http/express-session/nodes.js'

const TRIALS = 25
/** Those that wait on the real clock are tried in test/process. */
const AT_ONCE = CHECKS.filter((check) => !LIFETIMES.includes(check))

async function findingsOf(audited: Audited, ...names: readonly string[]): Promise<readonly Finding[]> {
  const checks = AT_ONCE.filter(({ name }) => names.length === 0 || names.includes(name))
  expect(checks.length).toBe(names.length === 0 ? AT_ONCE.length : names.length)
  return await audit(audited, {
    // Its types say Request and Response of express.
    expressSession: expressSession as never,
    trials: TRIALS,
    checks,
    now: Date.now,
    answerWithinMs: 300,
    wait: async (ms) => await new Promise((resolve) => void setTimeout(resolve, ms)),
    randomBytes,
  })
}

async function gradesOf(audited: Audited, ...names: readonly string[]): Promise<Readonly<Record<string, Grade>>> {
  const findings = await findingsOf(audited, ...names)
  return Object.fromEntries(findings.map(({ check, outcome }) => [check.name, gradeOf(outcome)]))
}

/** MemoryStore, with one thing changed. */
function changed(change: (store: AuditedStore) => Partial<AuditedStore>): AuditedStore {
  const store: AuditedStore = new expressSession.MemoryStore()
  return Object.assign(store, change(store))
}

const OURS: Readonly<Record<string, Grade>> = {
  'lost-update': 'passed',
  'logout-revival': 'passed',
  'zombie-key': 'passed',
  'resave': 'passed',
  'redirect': 'passed',
  // No store can mend it.
  'redirect-slow-save': 'failed',
  'missing': 'passed',
  'values': 'passed',
  'touch-creates': 'passed',
  'all-length-clear': 'passed',
  'outage': 'not-tried',
}

test('MemoryStore loses updates, revives logouts, and keeps the contract', async () => {
  const grades = await gradesOf({ store: new expressSession.MemoryStore() })

  expect(grades).toEqual({ ...OURS, 'lost-update': 'failed', 'logout-revival': 'failed', 'resave': 'failed' })
})

test('our store on one node passes everything that a store can', async () => {
  expect(await gradesOf({ store: new SessionMeshStore({ backend: await memory() }) })).toEqual(OURS)
})

test('our store passes across two nodes as well', async () => {
  const [one, two] = (await replicated(2)).map((backend) => new SessionMeshStore({ backend }))
  if (one === undefined || two === undefined) throw new Error('no nodes')

  expect(await gradesOf({ store: one, other: two })).toEqual(OURS)
})

test.each<readonly [fault: string, check: string, store: AuditedStore]>([
  [
    'answers with an error where there is nothing',
    'missing',
    changed(() => ({ get: (id, done) => done(new Error(`no ${id}`)) })),
  ],
  ['never calls back', 'missing', changed(() => ({ destroy: () => {} }))],
  ['creates what it touches', 'touch-creates', creating()],
  ['creates what it touches', 'zombie-key', creating()],
  ['hands out what it holds', 'values', holding()],
  ['miscounts', 'all-length-clear', changed(() => ({ length: (done) => done(null, 7) }))],
  ['does not clear', 'all-length-clear', changed(() => ({ clear: (done) => done() }))],
])('a store that %s fails %s', async (_, check, store) => {
  expect(await gradesOf({ store }, check)).toEqual({ [check]: 'failed' })
})

function creating(): AuditedStore {
  return changed((store) => ({ touch: (id, session, done) => store.set(id, session, done) }))
}

/** The objects themselves, without a copy. */
function holding(): AuditedStore {
  const sessions = new Map<string, object>()
  return changed(() => ({
    get: (id, done) => done(null, sessions.get(id)),
    set: (id, session, done) => done(null, sessions.set(id, session)),
    destroy: (id, done) => done(null, sessions.delete(id)),
  }))
}

test.each<readonly [how: string, answer: (id: string, done: Callback) => void, grade: Grade]>([
  ['refuses', (_, done) => done(new Error('away')), 'passed'],
  ['says that there is no session', (_, done) => done(null, null), 'failed'],
])('a store that %s during an outage is told apart', async (_, answer, grade) => {
  let isAway = false
  const store = changed((inner) => {
    const get = inner.get.bind(inner)
    return { get: (id, done) => (isAway ? answer(id, done) : get(id, done)) }
  })
  const outage = { begin: () => (isAway = true), end: () => (isAway = false) }

  expect(await gradesOf({ store, outage }, 'outage')).toEqual({ outage: grade })
})

test('a store in which sessions are is not cleared', async () => {
  const store: AuditedStore = new expressSession.MemoryStore()
  store.set('somebody', { cookie: {}, user: 'ada' }, () => {})

  const [finding] = await findingsOf({ store }, 'all-length-clear')

  expect(finding?.outcome).toMatchObject({ failures: 0, note: 'clear not tried, the store held 1 already' })
  const held = await new Promise((resolve) => store.get('somebody', (_, session) => resolve(session)))
  expect(held).toMatchObject({ user: 'ada' })
})

test('no session is left behind', async () => {
  const store: AuditedStore = new expressSession.MemoryStore()

  await findingsOf({ store })

  expect(await new Promise((resolve) => store.length?.((_, length) => resolve(length)))).toBe(0)
})

test('what a slowed store was slowed by is gone afterwards', async () => {
  const store: AuditedStore = new expressSession.MemoryStore()
  await findingsOf({ store }, 'redirect-slow-save')

  expect(Object.hasOwn(store, 'set')).toBe(false)
})
