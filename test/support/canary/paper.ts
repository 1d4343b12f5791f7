/**
 * What the processes of a test run write down, in one folder: a file per process, a line per note. Written at once, so
 * that a process that is killed leaves everything it said.
 */
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { isMainThread, threadId } from 'node:worker_threads'

/** Name of the environment variable with the folder, and of the one that says whose test a process belongs to. */
export const FOLDER = 'SESSION_MESH_CANARY_FOLDER'
export const TEST = 'SESSION_MESH_CANARY_TEST'

export type TextKind = 'output' | 'log' | 'error' | 'answer' | 'metrics'

export type Note =
  /** Something that people or machines can read outside of the process. */
  | { readonly type: 'text'; readonly kind: TextKind; readonly from: string; readonly text: string }
  /** A word that must be in no text: a secret that keys were derived from, an id that a browser was given. */
  | { readonly type: 'secret' | 'id'; readonly word: string }

/** Notes that are the same are written once, as long as no more than these lie between them. */
const REMEMBERED_MAX = 20_000

/** Where one process writes its notes. */
export class Paper {
  readonly #file: number
  readonly #from: () => string
  #written = new Set<string>()

  constructor(folder: string, from: () => string) {
    const thread = isMainThread ? '' : `-${threadId}`
    this.#file = openSync(join(folder, `${process.pid}${thread}-${Math.round(performance.timeOrigin)}.jsonl`), 'a', 0o600)
    this.#from = from
  }

  text(kind: TextKind, text: string): void {
    if (text.trim() !== '' && this.#isNew(kind + text)) this.#write({ type: 'text', kind, from: this.#from(), text })
  }

  word(type: 'secret' | 'id', word: string): void {
    if (this.#isNew(type + word)) this.#write({ type, word })
  }

  close(): void {
    closeSync(this.#file)
  }

  #isNew(key: string): boolean {
    if (this.#written.has(key)) return false
    if (this.#written.size >= REMEMBERED_MAX) this.#written = new Set()
    this.#written.add(key)
    return true
  }

  #write(note: Note): void {
    writeSync(this.#file, `${JSON.stringify(note)}\n`)
  }
}

/** Everything that the processes of a run wrote, process by process. */
export function readPapers(folder: string): readonly Note[] {
  return readdirSync(folder).flatMap((file) => {
    const lines = readFileSync(join(folder, file), 'utf8').split('\n')
    // A process that was killed may have left half a line.
    return lines.flatMap((line) => {
      try {
        return [JSON.parse(line) as Note]
      } catch {
        return []
      }
    })
  })
}
