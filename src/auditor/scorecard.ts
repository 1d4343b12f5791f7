/** The findings of an audit, for terminals and for Markdown. */
import type { Finding } from './audit.js'
import type { Outcome } from './check.js'

export type Grade = 'passed' | 'failed' | 'not-tried'

export const SIGNS: Readonly<Record<Grade, string>> = { 'passed': '✓', 'failed': '✗', 'not-tried': '–' }

export function gradeOf(outcome: Outcome): Grade {
  if (outcome.type === 'not-tried' || outcome.trials === 0) return 'not-tried'
  return outcome.failures === 0 ? 'passed' : 'failed'
}

/** `broken in 3 of 200`, and what else there is to say. */
export function inWords(outcome: Outcome): string {
  if (outcome.type === 'not-tried') return `not tried: ${outcome.why}`
  const { trials, failures, note } = outcome
  const verdict = failures === 0 ? `kept in ${trials}` : `broken in ${failures} of ${trials}`
  return `${verdict}${note === undefined ? '' : ` (${note})`}`
}

/** For `--json`: plain data. */
export function asData(findings: readonly Finding[]): readonly object[] {
  return findings.map(({ check, outcome }) => {
    const { type: _, ...rest } = outcome
    return { check: check.name, title: check.title, grade: gradeOf(outcome), ...rest }
  })
}

/** A column of findings for each store, a row for each check. */
export interface Column {
  readonly title: string
  readonly findings: readonly Finding[]
}

export function asMarkdown(columns: readonly Column[]): string {
  const checks = columns[0]?.findings.map(({ check }) => check) ?? []
  const rows = checks.map((check) => {
    const cells = columns.map(({ findings }) => {
      const finding = findings.find((each) => each.check === check)
      return finding === undefined ? 'not asked' : `${SIGNS[gradeOf(finding.outcome)]} ${inWords(finding.outcome)}`
    })
    return line([check.title, ...cells])
  })
  const head = line(['', ...columns.map(({ title }) => title)])
  return [head, line(['---', ...columns.map(() => '---')]), ...rows].join('\n')
}

function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
