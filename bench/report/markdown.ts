/**
 * The report as Markdown: the answers, the goals, and the table of the three ways, for a README or a pull
 * request.
 */
import type { BenchRun } from '../results.js'
import type { Answer } from './answers.js'
import type { Contents } from './contents.js'
import { setup } from './doubts.js'
import { goalRows, tallyInWords } from './goal-table.js'
import { remarksOf, type HeatMap, type Section, type Table } from './section.js'

/** The whole summary. */
export function markdown(run: BenchRun, contents: Contents): string {
  const { verdicts, sections } = contents
  const goals = goalRows(verdicts)
  return [
    '# Which backend for your sessions',
    ...opening(contents),
    ...contents.answers.map(answerAsMarkdown),
    '## The three ways',
    tableAsMarkdown(contents.comparison),
    '## Goals',
    goalLine(contents),
    `${goals.caption}.`,
    tableAsMarkdown(goals),
    ...sections.map(sectionAsMarkdown),
    '## What to doubt',
    setup(run).map((text) => `* ${text}`).join('\n'),
    `Made by \`${run.command}\`, seed ${run.seed}. Medians; in parentheses the least and the most of the rounds.`,
    '',
  ].join('\n\n')
}

/** What a README shows of it. */
export function readmeSummary(contents: Contents): string {
  return [...opening(contents), tableAsMarkdown(contents.comparison), goalLine(contents)].join('\n\n')
}

function opening({ headline: { when, where, warnings } }: Contents): readonly string[] {
  return [`${when}; ${where}.`, ...warnings.map((warning) => `**${warning}**`)]
}

function goalLine({ verdicts }: Contents): string {
  return tallyInWords(verdicts)
}

function answerAsMarkdown({ who, choice, facts, missing }: Answer): string {
  const lines = [
    ...facts.map(({ value, text }) => (value === '' ? `* ${text}` : `* **${value}** ${text}`)),
    ...missing.map((command) => `* Not measured in this run: \`${command}\``),
  ]
  return `**${who}**: \`${choice}\`\n\n${lines.join('\n')}`
}

function sectionAsMarkdown({ title, lead, findings, heatMaps = [], plots, tables, folded = [], missing }: Section): string {
  const all = [...folded, ...tables, ...plots.map(({ table }) => table)]
  const parts = [
    `## ${title}`,
    lead,
    ...findings,
    ...heatMaps.map(heatMapAsMarkdown),
    ...all.map((table) => `${table.caption}\n\n${tableAsMarkdown(table)}`),
    ...(missing === undefined ? [] : [`Not measured in this run: \`${missing}\``]),
  ]
  return parts.join('\n\n')
}

function heatMapAsMarkdown({ title, columnsTitle, rowsTitle, columns, rows, key }: HeatMap): string {
  const head = [`${rowsTitle} ↓ ${columnsTitle} →`, ...columns]
  const lines = rows.map((row) => ({ cells: [row.title, ...row.cells.map(({ winner, margin }) => `${winner} ${margin}`)], marks: [], notes: [] }))
  return [title, tableAsMarkdown({ caption: title, head, rows: lines }), key.map(({ text }) => text).join('; ')].join('\n\n')
}

export function tableAsMarkdown(table: Table): string {
  const { head, rows } = table
  const remarks = remarksOf(table)
  const line = (cells: readonly string[]): string => `| ${cells.map(inCell).join(' | ')} |`
  const lines = rows.map(({ cells: [first = '', ...others], marks, notes }) => {
    const doubts = marks.length === 0 ? '' : ` (${marks.join(', ')})`
    const references = notes.map((note) => `<sup>${remarks.indexOf(note) + 1}</sup>`)
    return line([`${first}${doubts}${references.join(' ')}`, ...others])
  })
  const below = remarks.map((text, i) => `\n<sup>${i + 1}</sup> ${inCell(text)}\n`)
  return [line(head), line(head.map(() => '---')), ...lines, ...below].join('\n')
}

function inCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
