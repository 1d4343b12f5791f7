/** Puts the summary of a run where the README has its place for it. */
import { readFile, writeFile } from 'node:fs/promises'
import type { BenchRun } from '../results.js'
import { contentsOf } from './contents.js'
import { readmeSummary } from './markdown.js'

const BEGIN = '<!-- bench:begin -->'
const END = '<!-- bench:end -->'

/** Replaces what stands between the markers; refuses a file that does not have both, in this order. */
export async function writeReadme(run: BenchRun, path: string): Promise<void> {
  const text = await readFile(path, 'utf8')
  await writeFile(path, withSummary(text, readmeSummary(contentsOf(run)), path))
}

export function withSummary(text: string, summary: string, path: string): string {
  const begin = text.indexOf(BEGIN)
  const end = text.indexOf(END)
  if (begin === -1 || end < begin) {
    const remedy = `put ${BEGIN} and ${END} on lines of their own where they belong`
    throw new Error(`${path} has no place for the figures: ${remedy}`)
  }
  return `${text.slice(0, begin)}${BEGIN}\n\n${summary}\n\n${text.slice(end)}`
}
