/**
 * Bugs planted one at a time into the built replica: each takes back one rule of the protocol. A simulator that
 * does not notice one of them proves nothing about the others.
 */
import { MERGING } from './merging.js'
import type { Mutant } from './mutant.js'
import { REPLICATION } from './replication.js'
import { SERVICE } from './service.js'

export const MUTANTS: readonly Mutant[] = [...REPLICATION, ...MERGING, ...SERVICE]

/** Rules that PROTOCOL.md states by name and no mutant takes back. */
export function rulesWithoutMutant(protocol: string): readonly string[] {
  const planted = new Set(MUTANTS.flatMap(({ rule }) => rule.split(' + ')))
  const rules = [...protocol.matchAll(/^\* \*\*([A-Z]\d)\*\*/gm)].map(([, rule]) => rule ?? '')
  return rules.filter((rule) => !planted.has(rule))
}
