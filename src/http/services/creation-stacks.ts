import { fileURLToPath } from 'node:url'
import type { SessionRef } from '../../session/session.js'

/** Sessions whose origin is remembered; the oldest are forgotten first. */
const KEPT_MAX = 10_000
const FRAMES_MAX = 12
/** Frames of ours are left out, so more are asked for. */
const FRAMES_ASKED = 40

const OURS = new URL('..', import.meta.url).href
const OURS_AS_PATH = fileURLToPath(OURS)

/** Which lines of an application made which sessions on this node (`debug.creationStacks`). */
export class CreationStacks {
  readonly #stacks = new Map<string, readonly string[]>()

  /** The application's frames, from the innermost on. */
  capture(): readonly string[] {
    const before = Error.stackTraceLimit
    Error.stackTraceLimit = FRAMES_ASKED
    const { stack = '' } = new Error()
    Error.stackTraceLimit = before
    return stack
      .split('\n')
      .slice(1)
      .map((line) => line.trim().replace(/^at /, ''))
      .filter((frame) => !isOurs(frame))
      .slice(0, FRAMES_MAX)
  }

  note(ref: SessionRef, stack: readonly string[]): void {
    this.#stacks.set(keyOf(ref), stack)
    if (this.#stacks.size <= KEPT_MAX) return
    for (const oldest of this.#stacks.keys()) {
      this.#stacks.delete(oldest)
      return
    }
  }

  of(ref: SessionRef): readonly string[] | undefined {
    return this.#stacks.get(keyOf(ref))
  }
}

function isOurs(frame: string): boolean {
  return frame.includes(OURS) || frame.includes(OURS_AS_PATH) || frame.includes('node:internal/')
}

function keyOf({ actor, counter }: SessionRef): string {
  return `${actor}:${counter}`
}
