/** What people read of a run. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readCalibration } from '../calibration-file.js'
import { nameOf } from '../result-file.js'
import type { BenchRun } from '../results.js'
import { contentsOf } from './contents.js'
import { markdown } from './markdown.js'
import { page } from './page.js'
import { readScripts } from './scripts.js'

/**
 * Writes a page and a summary in Markdown beside the run's JSON, of the same name; answers with their paths. What a run
 * that did not calibrate cannot predict is predicted from the calibration that lies there.
 */
export async function writeReport(run: BenchRun, dir: string): Promise<readonly string[]> {
  const contents = contentsOf(run, readCalibration(dir))
  const name = join(dir, nameOf(run))
  const paths = { html: `${name}.html`, markdown: `${name}.md` }
  const scripts = await readScripts()
  await mkdir(dir, { recursive: true })
  await Promise.all([
    writeFile(paths.html, page(run, contents, scripts)),
    writeFile(paths.markdown, markdown(run, contents)),
  ])
  return [paths.html, paths.markdown]
}
