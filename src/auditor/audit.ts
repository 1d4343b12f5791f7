/** Runs a store through what goes wrong with sessions, under express-session and over HTTP. */
import { Calls } from './calls.js'
import type { Check, CheckContext, Outcome } from './check.js'
import { CONTRACT } from './checks/contract.js'
import { LIFETIMES } from './checks/lifetimes.js'
import { RACES } from './checks/races.js'
import { REDIRECTS } from './checks/redirects.js'
import { Site } from './site.js'
import type { Audited, ExpressSession } from './store.js'

export const CHECKS: readonly Check[] = [...CONTRACT, ...RACES, ...REDIRECTS, ...LIFETIMES]

const ANSWER_WITHIN_MS = 2_000

export interface AuditOptions {
  readonly expressSession: ExpressSession
  readonly trials: number
  readonly checks?: readonly Check[]
  /** A store that has not called back by then never will. Default 2,000. */
  readonly answerWithinMs?: number
  readonly now: () => number
  readonly wait: (ms: number) => Promise<void>
  readonly randomBytes: (bytes: number) => Buffer
  /** Before each check. */
  readonly began?: (check: Check) => void
}

export interface Finding {
  readonly check: Check
  readonly outcome: Outcome
}

/**
 * One check after another, so that none disturbs the next; those that wait for the clock do that at one time.
 */
export async function audit(audited: Audited, options: AuditOptions): Promise<readonly Finding[]> {
  const { checks = CHECKS, began } = options
  const isWaiting = (check: Check): boolean => LIFETIMES.includes(check)
  const waiting = checks.filter(isWaiting)
  const findings = new Map<Check, Outcome>()
  for (const check of checks.filter((each) => !isWaiting(each))) {
    began?.(check)
    findings.set(check, await outcomeOf(check, audited, options))
  }
  waiting.forEach((check) => began?.(check))
  await Promise.all(waiting.map(async (check) => findings.set(check, await outcomeOf(check, audited, options))))
  return checks.flatMap((check) => {
    const outcome = findings.get(check)
    return outcome === undefined ? [] : [{ check, outcome }]
  })
}

/** A check that breaks off is a failure of the store, with its reason. */
async function outcomeOf(check: Check, audited: Audited, options: AuditOptions): Promise<Outcome> {
  const open: Site[] = []
  const { expressSession, trials, now, wait, randomBytes, answerWithinMs = ANSWER_WITHIN_MS } = options
  const secret = randomBytes(24).toString('base64url')
  const siteOn = async (store: object, more: object = {}): Promise<Site> => {
    const site = new Site({ expressSession, store, secret, ...more })
    open.push(site)
    await site.open()
    return site
  }
  const context: CheckContext = {
    audited,
    calls: new Calls(audited.store, answerWithinMs),
    trials,
    now,
    wait,
    sites: async (more) => [await siteOn(audited.store, more), await siteOn(audited.other ?? audited.store, more)],
    newId: () => randomBytes(24).toString('base64url'),
  }
  try {
    return await check.run(context)
  } catch (error) {
    const note = error instanceof Error ? error.message : String(error)
    return { type: 'counted', trials: 1, failures: 1, note }
  } finally {
    await Promise.all(open.map(async (site) => await site.close()))
    const left = new Set(open.flatMap(({ ids }) => [...ids]))
    await Promise.all([...left].map(async (id) => await context.calls.destroy(id).catch(() => {})))
  }
}
