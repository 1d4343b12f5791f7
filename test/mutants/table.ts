import type { Mutant, Outcome } from './mutant.js'

export interface Row {
  readonly mutant: Mutant
  readonly outcome: Outcome
}

/** One line for a terminal. */
export function line({ mutant, outcome }: Row): string {
  const mark = outcome.type === 'caught' ? '✓' : '✗'
  const columns = [mark, mutant.rule.padEnd(8), mutant.bug.padEnd(78), catcherOf(mutant, outcome), seedOf(outcome)]
  return columns.join(' ').trimEnd()
}

/** The whole table, for people who do not run it. */
export function document(rows: readonly Row[], commit: string): string {
  const lines = rows.map(({ mutant, outcome }) => {
    return `| ${mutant.rule} | ${mutant.bug} | ${catcherOf(mutant, outcome)} | ${seedOf(outcome)} |`
  })
  return `# Planted bugs, and who caught them

Written by \`npm run mutants\` at commit ${commit}. Each line is one rule of [PROTOCOL.md](../../PROTOCOL.md)
taken back in the built replica. *Caught by* is the promise that the simulator saw broken, or the test that turned
red, where chance does not get there in reasonable time. *Seed*: how many seeds, counted from 1, that took.

| rule | bug | caught by | seed |
|---|---|---|---:|
${lines.join('\n')}

${summary(rows)}
`
}

export function summary(rows: readonly Row[]): string {
  const caught = rows.filter(({ outcome }) => outcome.type === 'caught').length
  if (caught === rows.length) return `${caught} mutants, all caught`
  return `${caught} of ${rows.length} mutants caught`
}

function catcherOf({ catcher }: Mutant, outcome: Outcome): string {
  if (outcome.type === 'got-away') return `got away: ${outcome.reason}`
  return catcher.type === 'test' ? `${catcher.file}: ${outcome.by}` : outcome.by
}

function seedOf(outcome: Outcome): string {
  return outcome.type === 'caught' && outcome.seed !== undefined ? String(outcome.seed) : ''
}
