import type { Answer, LoadResult, SeenTokens, SessionBackend } from '../../backend/backend.js'
import { LimitError } from '../../errors.js'
import type { RequestHead } from '../request/request-head.js'

/** Sessions that one browser can have at a time. */
export const ACCOUNTS_MAX = 20
export const DEFAULT_ALIAS = '0'

const ALIAS = /^[\w-]{1,50}$/
/** Aliases that count when the next one is chosen: numbers as this file writes them. */
const NUMBERED = /^(?:0|[1-9a-f][0-9a-f]{0,7})$/

/** Where a request says which of the browser's sessions it is about. */
export interface AliasPlace {
  readonly in: 'query' | 'header' | 'path'
  /** Of the parameter or the header; of a path the prefix before the alias: `/u` of `/u/1/inbox`. */
  readonly name: string
}

/** The sessions of one browser, as its request brings them. */
export interface Accounts {
  /** Which of them a request is about. */
  aliasOf(req: RequestHead): string
  /** Id by alias, of all of them. */
  held(req: RequestHead): ReadonlyMap<string, string>
  /** What the browser has seen of one of them. */
  seenOf(req: RequestHead, alias: string): SeenTokens | undefined
  /** `url` for another of them. */
  urlFor(alias: string, url: string): string
}

/** Several sessions in one browser, by name. */
export interface Aliases {
  /** What this request is about. */
  readonly current: string
  /** All that the browser holds, or will when it has this response. */
  readonly all: readonly string[]
  /** A name that is free, for one more. */
  readonly next: string
}

export function isAlias(text: string): boolean {
  return ALIAS.test(text)
}

/** What an application is told; `isHeld`: whether the request has a session by now. */
export function aliasesOf(accounts: Accounts, req: RequestHead, isHeld: boolean): Aliases {
  const current = accounts.aliasOf(req)
  const names = new Set(accounts.held(req).keys())
  if (isHeld) names.add(current)
  else names.delete(current)
  return { current, all: [...names].sort(), next: nextAlias([...names, current]) }
}

/** One more than the greatest number among them, in hexadecimal digits. */
function nextAlias(taken: readonly string[]): string {
  const numbers = taken.filter((alias) => NUMBERED.test(alias)).map((alias) => Number.parseInt(alias, 16))
  let next = Math.max(-1, ...numbers) + 1
  while (taken.includes(next.toString(16))) next++
  return next.toString(16)
}

/** Throws when the browser has as many sessions as it can, and the request's is not one of them. */
export function assertRoom(accounts: Accounts, req: RequestHead, over: ReadonlySet<string>): void {
  const current = accounts.aliasOf(req)
  const others = [...accounts.held(req)].filter(([alias, id]) => alias !== current && !over.has(id))
  if (others.length < ACCOUNTS_MAX) return
  throw new LimitError(`this browser has ${ACCOUNTS_MAX} sessions already: one has to be logged out first`, 409)
}

/**
 * Ids of the browser's other sessions that name nothing any more: they leave its cookie when that is written. What
 * cannot be told now stays.
 */
export function findOver(
  accounts: Accounts,
  req: RequestHead,
  backend: SessionBackend,
  deadline: number,
): Answer<ReadonlySet<string>> {
  const current = accounts.aliasOf(req)
  const over = new Set<string>()
  const waits: Promise<void>[] = []
  for (const [alias, id] of accounts.held(req)) {
    if (alias === current) continue
    const note = ({ state }: LoadResult): void => void (state === 'none' && over.add(id))
    try {
      const answer = backend.load(id, accounts.seenOf(req, alias), { deadline })
      if (answer instanceof Promise) waits.push(answer.then(note, () => {}))
      else note(answer)
    } catch {
      // A node that cannot tell ends nothing.
    }
  }
  return waits.length === 0 ? over : Promise.all(waits).then(() => over)
}
