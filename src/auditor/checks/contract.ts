/** What the documentation of express-session asks of a store, by direct calls. */
import { isDeepStrictEqual } from 'node:util'
import type { Calls } from '../calls.js'
import { count, within, type Check, type CheckContext } from '../check.js'
import type { Outage } from '../store.js'

const TRIALS = 20
const SESSIONS = 3

const missing: Check = {
  name: 'missing',
  title: 'a missing session is answered with nothing',
  why: 'The store shall call back without an error and with null or undefined; anything else becomes an error page.',
  run: async ({ calls, newId }) =>
    await count(TRIALS, async () => {
      const value = await calls.answerOf('get', newId())
      await calls.destroy(newId())
      return value !== null && value !== undefined
    }),
}

const faithful: Check = {
  name: 'values',
  title: 'values come back as they were stored',
  why: 'What JSON can say must survive, and what get answered must be a copy.',
  run: async ({ calls, newId }) =>
    await count(TRIALS, async (i) => {
      const id = newId()
      const nested = [1, [2, { 'deep': true, '': 'no name' }]]
      const data = { text: 'žluťoučký 🐎\u0000"', number: i + 0.5, nothing: null, nested }
      await calls.set(id, data)
      const first = (await calls.get(id)) ?? {}
      const isSame = Object.entries(data).every(([name, value]) => isDeepStrictEqual(Reflect.get(first, name), value))
      Reflect.set(first, 'text', 'changed by the reader')
      const again = (await calls.get(id)) ?? {}
      await calls.destroy(id)
      return !isSame || Reflect.get(again, 'text') !== data.text
    }),
}

const touchCreates: Check = {
  name: 'touch-creates',
  title: 'touching what is not there makes nothing',
  why: 'Touches come late; one for a session that is gone must change nothing.',
  run: async ({ audited: { store }, calls, newId }) => {
    if (store.touch === undefined) return { type: 'not-tried', why: 'the store has no touch' }
    return await count(TRIALS, async () => {
      const id = newId()
      // To refuse is as good as to ignore.
      await calls.touch(id).catch(() => {})
      return (await calls.get(id)) !== undefined
    })
  },
}

/** Clears the store only if nothing was in it before. */
const listing: Check = {
  name: 'all-length-clear',
  title: 'all, length and clear tell what is there',
  why: 'Optional methods: administration pages use them.',
  run: async ({ audited: { store }, calls, newId }) => {
    if (store.length === undefined) return { type: 'not-tried', why: 'the store has no length' }
    const before = await calls.length()
    const ids = Array.from({ length: SESSIONS }, newId)
    for (const id of ids) await calls.set(id, { id })
    const wrong = [
      (await calls.length()) === before + SESSIONS ? [] : ['length'],
      store.all === undefined || (await calls.countAll()) === before + SESSIONS ? [] : ['all'],
      store.clear === undefined || before > 0 || (await clears(calls, ids)) ? [] : ['clear'],
    ].flat()
    for (const id of ids) await calls.destroy(id)
    const isLeftOut = before > 0 && store.clear !== undefined
    const notes = [
      ...(wrong.length === 0 ? [] : [`wrong: ${wrong.join(', ')}`]),
      ...(isLeftOut ? [`clear not tried, the store held ${before} already`] : []),
    ]
    const note = notes.length === 0 ? {} : { note: notes.join('; ') }
    return { type: 'counted', trials: 1, failures: wrong.length === 0 ? 0 : 1, ...note }
  },
}

async function clears(calls: Calls, ids: readonly string[]): Promise<boolean> {
  await calls.clear()
  const left = await Promise.all(ids.map(async (id) => await calls.get(id)))
  return left.every((session) => session === undefined) && (await calls.length()) === 0
}

const outage: Check = {
  name: 'outage',
  title: 'an outage is answered with an error, and ends',
  why: 'An error can be retried; a new, empty session looks like a logout and replaces the cookie.',
  run: async (context) => {
    if (context.audited.outage === undefined) {
      return { type: 'not-tried', why: 'the module offers no outage' }
    }
    return await duringOutage(context, context.audited.outage)
  },
}

const HANGS_AFTER_MS = 8_000

async function duringOutage(
  { sites, wait, now }: CheckContext,
  { begin, end }: Outage,
): ReturnType<Check['run']> {
  const [site] = await sites()
  const cookies = new Map<string, string>()
  await site.ask(cookies, (session) => (session['user'] = 'ada'))
  const isAda = async (): Promise<boolean | 'refused'> => {
    const { status, value } = await site.ask(new Map(cookies), ({ user }) => user === 'ada')
    return status === 200 ? value === true : 'refused'
  }
  await begin()
  const meanwhile = await within(HANGS_AFTER_MS, isAda()).catch(() => 'hung' as const)
  await end()
  const deadline = now() + HANGS_AFTER_MS
  let after = await within(HANGS_AFTER_MS, isAda()).catch(() => 'hung' as const)
  while (after !== true && after !== false && now() < deadline) {
    await wait(50)
    after = await within(HANGS_AFTER_MS, isAda()).catch(() => 'hung' as const)
  }
  const problems = [
    ...(meanwhile === false ? ['the visitor was answered as a stranger'] : []),
    ...(meanwhile === 'hung' ? [`no answer within ${HANGS_AFTER_MS} ms`] : []),
    ...(after === true ? [] : ['it does not serve the session afterwards']),
  ]
  const wentWell = meanwhile === true ? 'served all the same' : 'refused, then served'
  const note = problems.length > 0 ? problems.join('; ') : wentWell
  return { type: 'counted', trials: 1, failures: problems.length > 0 ? 1 : 0, note }
}

export const CONTRACT: readonly Check[] = [missing, faithful, touchCreates, listing, outage]
