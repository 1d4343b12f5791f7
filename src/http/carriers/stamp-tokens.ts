import type { SeenTokens } from '../../backend/backend.js'

/** A stamp helps while nodes catch up; after this long the browser forgets it. */
export const STAMP_AGE_S = 600
export const STAMPS_MAX = 16
const STAMP_CHARACTERS_MAX = 1_024
const SLOT = /^[0-9a-z]{1,8}$/

/** Tokens by slot, of pairs `<slot>=<token>`; what is none is left out. Undefined: none at all. */
export function tokensOf(pairs: Iterable<string>): SeenTokens | undefined {
  let tokens: Map<string, string> | undefined
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    const slot = pair.slice(0, Math.max(0, equals))
    if (!SLOT.test(slot) || pair.length > STAMP_CHARACTERS_MAX) continue
    tokens ??= new Map<string, string>()
    if (!tokens.has(slot)) tokens.set(slot, pair.slice(equals + 1))
    if (tokens.size === STAMPS_MAX) break
  }
  return tokens
}
