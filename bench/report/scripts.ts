/** What runs in the page, read from where it is installed. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

export interface Scripts {
  /** uPlot, and its style sheet. */
  readonly chart: string
  readonly chartStyle: string
  readonly page: string
}

export async function readScripts(): Promise<Scripts> {
  const [chart, chartStyle, page] = await Promise.all([
    readFile(inPackage('uplot/dist/uPlot.iife.min.js'), 'utf8'),
    readFile(inPackage('uplot/dist/uPlot.min.css'), 'utf8'),
    readFile(new URL('./page/plots.js', import.meta.url), 'utf8'),
  ])
  return { chart: inElement(chart), chartStyle, page: inElement(page) }
}

/** For a Content-Security-Policy. */
export function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}

function inPackage(path: string): string {
  try {
    return createRequire(import.meta.url).resolve(path)
  } catch {
    throw new Error('the report draws with uPlot: npm install --save-dev uplot')
  }
}

/**
 * Nothing of a script may look like the end of its element, and no line like the name of a map that is not
 * there.
 */
function inElement(script: string): string {
  return script.replace(/^\/\/# sourceMappingURL=.*$/gm, '').replaceAll('</script', '<\\/script')
}
