/**
 * Two requests of one session at the same time. Every trial is the worst case: what is slow is held by the
 * audit.
 */
import { count, gate, type Check } from '../check.js'
import type { SessionData } from '../store.js'

/** Both have loaded the session before either changes it. */
const lostUpdate: Check = {
  name: 'lost-update',
  title: 'concurrent changes of different attributes both stay',
  why: 'Stores that write the whole session back write the old values of everything that the request did not change.',
  run: async ({ sites, trials }) => {
    const [first, second] = await sites()
    return await count(trials, async (i) => {
      const cookies = new Map<string, string>()
      await first.ask(cookies, (session) => (session['n'] = i))
      const both = gate(2)
      const change = (name: string) => async (session: SessionData) => {
        await both()
        session[name] = i
      }
      await Promise.all([first.ask(cookies, change('x')), second.ask(cookies, change('y'))])
      const { value } = await first.ask(cookies, ({ x, y }) => x === i && y === i)
      return value !== true
    })
  },
}

const revival: Check = {
  name: 'logout-revival',
  title: 'a logout stays, whatever a slower request saves',
  why: 'Whoever kept the cookie is logged in again: saving a session that was destroyed must not create it.',
  run: async ({ sites, trials }) => {
    const [first, second] = await sites()
    return await count(trials, async (i) => {
      const cookies = new Map<string, string>()
      await first.ask(cookies, (session) => (session['user'] = i))
      const before = new Map(cookies)
      const loaded = gate(2)
      const loggedOut = gate(2)
      const slow = second.ask(new Map(before), async (session) => {
        await loaded()
        await loggedOut()
        session['late'] = true
      })
      await loaded()
      await first.ask(cookies, logOut)
      await loggedOut()
      await slow
      const { value } = await first.ask(new Map(before), ({ user }) => user === i)
      return value === true
    })
  },
}

/** The same with a request that only reads: express-session touches the session when it ends. */
const zombie: Check = {
  name: 'zombie-key',
  title: 'a logout stays, whatever a slower request touches',
  why: 'A touch that creates leaves an empty session behind, which may never expire.',
  run: async ({ audited: { store }, calls, sites, trials }) => {
    if (store.touch === undefined) return { type: 'not-tried', why: 'the store has no touch' }
    const [first, second] = await sites()
    return await count(trials, async (i) => {
      const cookies = new Map<string, string>()
      let id = ''
      await first.ask(cookies, (session) => {
        session['user'] = i
        id = session.id
      })
      const loaded = gate(2)
      const loggedOut = gate(2)
      const slow = second.ask(new Map(cookies), async () => {
        await loaded()
        await loggedOut()
      })
      await loaded()
      await first.ask(cookies, logOut)
      await loggedOut()
      await slow
      return (await calls.get(id)) !== undefined
    })
  },
}

const resave: Check = {
  name: 'resave',
  title: 'a write stays, though a slow read is saved again',
  why: 'With resave: true, express-session saves what every request has loaded, changed or not, old or not.',
  run: async ({ sites, trials }) => {
    const [first, second] = await sites({ resave: true })
    return await count(trials, async (i) => {
      const cookies = new Map<string, string>()
      await first.ask(cookies, (session) => (session['n'] = 0))
      const loaded = gate(2)
      const written = gate(2)
      const slow = second.ask(new Map(cookies), async () => {
        await loaded()
        await written()
      })
      await loaded()
      await first.ask(cookies, (session) => (session['n'] = i + 1))
      await written()
      await slow
      const { value } = await first.ask(cookies, ({ n }) => n === i + 1)
      return value !== true
    })
  },
}

async function logOut(session: SessionData): Promise<void> {
  await new Promise((resolve) => session.destroy(resolve))
}

export const RACES: readonly Check[] = [lostUpdate, revival, zombie, resave]
