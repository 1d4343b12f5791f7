/** Commands that are given to backends and to the plain model of them, drawn by fast-check. */
import fc from 'fast-check'

export const PRINCIPALS = ['ada', 'bob'] as const

const index = fc.nat({ max: 7 })
const node = fc.nat({ max: 2 })
const name = fc.constantFrom('a', 'b', 'c')
const value = fc.integer({ min: 0, max: 99 })
const at = { session: index, node }

const command = fc.oneof(
  fc.record({ do: fc.constant('create' as const), node, value, owner: fc.option(fc.constantFrom(...PRINCIPALS)) }),
  { weight: 3, arbitrary: fc.record({ do: fc.constant('set' as const), ...at, name, value }) },
  fc.record({ do: fc.constant('remove' as const), ...at, name }),
  fc.record({ do: fc.constant('merge' as const), ...at, other: node, value }),
  fc.record({ do: fc.constant('contend' as const), ...at, other: node, value }),
  fc.record({ do: fc.constant('rotate' as const), ...at, owner: fc.option(fc.constantFrom(...PRINCIPALS)) }),
  fc.record({ do: fc.constant('destroy' as const), ...at }),
  fc.record({ do: fc.constant('destroy-while-saving' as const), ...at, other: node, value }),
  fc.record({ do: fc.constant('log-out-everywhere' as const), node, owner: fc.constantFrom(...PRINCIPALS) }),
  fc.record({ do: fc.constant('touch' as const), ...at }),
)

export type Command = typeof command extends fc.Arbitrary<infer T> ? T : never

/** At least 30 commands, the first of which makes a session. */
export type Sequence = readonly Command[]

/** Sequences that are played side by side. Time passes for all of them, before the commands with these numbers. */
export interface Group {
  readonly sequences: readonly Sequence[]
  readonly waits: readonly number[]
}

const COMMANDS_MAX = 40

const sequence: fc.Arbitrary<Sequence> = fc
  .array(command, { minLength: 30, maxLength: COMMANDS_MAX })
  .map((list) => [{ do: 'create', node: 0, value: 0, owner: null } as const, ...list])

const waits = fc.uniqueArray(fc.integer({ min: 1, max: COMMANDS_MAX }), { maxLength: 6 })

export function groupOf(size: number): fc.Arbitrary<Group> {
  return fc.record({ sequences: fc.array(sequence, { minLength: size, maxLength: size }), waits })
}
