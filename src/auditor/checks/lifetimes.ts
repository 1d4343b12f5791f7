/**
 * How long sessions live. These wait on the clock; a trial that the machine was too slow for does not count.
 */
import { count, type Check } from '../check.js'

const MAX_AGE_MS = 2_000
/** Redis counts in seconds: a session may live that much longer. */
const ROUNDING_MS = 1_000
const TRIALS = 8

const ttl: Check = {
  name: 'ttl',
  title: 'a session ends after its maxAge',
  why: 'A stolen cookie stays good for as long as the store says so.',
  run: async ({ sites, wait, now }) => {
    const [site] = await sites({ maxAgeMs: MAX_AGE_MS })
    return await count(TRIALS, async (i) => {
      const cookies = new Map<string, string>()
      const startedAt = now()
      await site.ask(cookies, (session) => (session['n'] = i))
      const early = await site.ask(cookies, ({ n }) => n === i)
      if (early.value !== true) return now() - startedAt >= MAX_AGE_MS ? 'void' : true
      await wait(MAX_AGE_MS + ROUNDING_MS + 100)
      const { value } = await site.ask(cookies, ({ n }) => n === i)
      return value === true
    })
  },
}

const touched: Check = {
  name: 'touch-extends',
  title: 'a session that is used goes on',
  why: 'Somebody who only reads is logged out. express-session touches the session after every request.',
  run: async ({ audited: { store }, sites, wait, now }) => {
    if (store.touch === undefined) return { type: 'not-tried', why: 'the store has no touch' }
    const [site] = await sites({ maxAgeMs: MAX_AGE_MS })
    return await count(TRIALS, async (i) => {
      const cookies = new Map<string, string>()
      await site.ask(cookies, (session) => (session['n'] = i))
      for (let step = 0; step < 3; step++) {
        const readAt = now()
        await wait(MAX_AGE_MS * 0.6)
        const { value } = await site.ask(cookies, ({ n }) => n === i)
        if (now() - readAt >= MAX_AGE_MS) return 'void'
        if (value !== true) return true
      }
      return false
    })
  },
}

export const LIFETIMES: readonly Check[] = [ttl, touched]
