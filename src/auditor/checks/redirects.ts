/** A login that redirects: is the user known on the page that the browser goes to? */
import { count, type Check, type CheckContext, type Counted } from '../check.js'
import type { Site } from '../site.js'
import type { AuditedStore } from '../store.js'

/** As slow as a Redis in the next town. */
const SLOW_MS = 20
const TRIALS_SLOWED = 50

const asItIs: Check = {
  name: 'redirect',
  title: 'a login is there when its redirect is followed at once',
  why: 'express-session sends the headers of a redirect before the save is done, so a fast browser can overtake it.',
  run: async ({ sites, trials }) => await follow(await sites(), trials),
}

const slowed: Check = {
  name: 'redirect-slow-save',
  title: `the same, though every save takes ${SLOW_MS} ms longer`,
  why: 'No store can mend this: express-session has sent the headers. Calling save() before redirecting can, and so does ' +
    'a middleware that commits before headers leave.',
  run: async ({ audited: { store, other }, sites, wait, trials }) => {
    const undo = [store, ...(other === undefined ? [] : [other])].map((each) => slowDown(each, wait))
    try {
      return await follow(await sites(), Math.min(trials, TRIALS_SLOWED))
    } finally {
      for (const each of undo) each()
    }
  },
}

async function follow([first, second]: readonly [Site, Site], trials: number): Promise<Counted> {
  return await count(trials, async (i) => {
    const cookies = new Map<string, string>()
    await first.ask(cookies, (session) => (session['visited'] = true))
    const { location } = await first.ask(
      cookies,
      (session, res) => {
        session['user'] = i
        res.writeHead(302, { Location: '/home' }).end('Found')
      },
      'headers',
    )
    const { value } = await second.ask(cookies, ({ user }) => user === i)
    return location !== '/home' || value !== true
  })
}

/** Puts somebody in front of `set` who takes his time, until the returned function is called. */
function slowDown(store: AuditedStore, wait: CheckContext['wait']): () => void {
  const own = Object.getOwnPropertyDescriptor(store, 'set')
  const set = store.set.bind(store)
  const slow: AuditedStore['set'] = (id, session, callback) => void wait(SLOW_MS).then(() => set(id, session, callback))
  Object.defineProperty(store, 'set', { value: slow, configurable: true, writable: true })
  return () => {
    if (own === undefined) Reflect.deleteProperty(store, 'set')
    else Object.defineProperty(store, 'set', own)
  }
}

export const REDIRECTS: readonly Check[] = [asItIs, slowed]
