import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BenchRun } from './results.js'

/** Where a run is written, again after every cell: whatever interrupts it, what was measured is there. */
export class ResultFile {
  readonly path: string

  /** `<date>-<commit>-<mode>.json` in that folder. */
  constructor(folder: string, run: Pick<BenchRun, 'startedAt' | 'commit' | 'mode'>) {
    mkdirSync(folder, { recursive: true })
    this.path = join(folder, `${nameOf(run)}.json`)
  }

  /** Whole or not at all. */
  write(run: BenchRun): void {
    const unfinished = `${this.path}.tmp`
    writeFileSync(unfinished, `${JSON.stringify(run, undefined, 1)}\n`)
    renameSync(unfinished, this.path)
  }
}

/** `<date>-<commit>-<mode>`: what all files of a run are called. */
export function nameOf({ startedAt, commit, mode }: Pick<BenchRun, 'startedAt' | 'commit' | 'mode'>): string {
  const date = startedAt.slice(0, 16).replace('T', '-').replace(':', '')
  return `${date}-${commit}-${mode}`
}
