import { RegisterKind, type MergeKind } from '../../session/session.js'
import { isAttributeName } from '../../session/value.js'
import { isReserved } from './reserved-names.js'

/** How attributes merge, by name; those left out are `lww`. */
export type MergeKinds = ReadonlyMap<string, MergeKind>

export interface MergeProblem {
  readonly name: string
  readonly problem: string
  readonly expected: string
}

export function mergeKindsOf(merge: Readonly<Record<string, MergeKind>>): MergeKinds {
  return new Map(Object.entries(merge).filter(([, kind]) => kind !== 'lww'))
}

/** What is wrong with the option `merge`, attribute by attribute. */
export function mergeProblems(merge: Readonly<Record<string, unknown>>): readonly MergeProblem[] {
  const known = Object.keys(RegisterKind)
  const problems: MergeProblem[] = []
  for (const [name, kind] of Object.entries(merge)) {
    if (!isAttributeName(name) || isReserved(name)) {
      problems.push({ name, problem: 'no name that an attribute can have', expected: 'the name of an attribute' })
    } else if (!known.some((other) => other === kind)) {
      problems.push({ name, problem: 'unknown kind', expected: `one of ${known.map((one) => `"${one}"`).join(', ')}` })
    }
  }
  return problems
}
