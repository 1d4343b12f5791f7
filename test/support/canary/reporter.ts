import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Reporter } from 'vitest/reporters'
import { FOLDER, readPapers } from './paper.js'
import { scan, type Leak } from './scan.js'

/** Leaks that are shown; all of them count. */
const SHOWN_MAX = 20

/**
 * Fails the run when a session id, a secret or a marked attribute value was written down by any of its processes:
 * those of the tests, and those that tests started.
 */
export class CanaryReporter implements Reporter {
  #folder: string | undefined

  onInit(): void {
    this.#folder = mkdtempSync(join(tmpdir(), 'session-mesh-canary-'))
    process.env[FOLDER] = this.#folder
  }

  onTestRunEnd(): void {
    if (this.#folder === undefined) return
    const { texts, secrets, ids, leaks } = scan(readPapers(this.#folder))
    rmSync(this.#folder, { recursive: true, force: true })
    const searched = `${texts} texts searched for ${secrets} secrets, the ids made with them, and ${ids} cookies`
    process.stdout.write(`\n   Canary  ${leaks.length === 0 ? 'silent' : `${leaks.length} leaks`}: ${searched}\n\n`)
    if (leaks.length === 0) return
    process.stderr.write(leaks.slice(0, SHOWN_MAX).map(describe).join(''))
    process.exitCode = 1
  }
}

function describe({ what, kind, from, excerpt }: Leak): string {
  return `   LEAK    ${what} in ${kind === 'error' ? 'an error' : `the ${kind}`} of ${from}\n           … ${excerpt} …\n`
}
