import type { SessionRef } from '../../session/session.js'
import type { PortableSession, SessionBackend } from '../backend.js'
import { birthText } from '../births.js'
import { Fingerprint } from '../fingerprint.js'

export interface Progress {
  readonly copied: number
  /** Held by the target before, with nothing to add. */
  readonly known: number
  /** Ended on the target: they stay so. */
  readonly dead: number
  /** Where to go on: `copySessions(…, { cursor })`. */
  readonly cursor: string | undefined
}

export interface CopyOptions {
  /** Goes on after this one of an earlier copy. */
  readonly cursor?: string
  /** Sessions under way at once. Default 16. */
  readonly atOnce?: number
  /** Called after every batch; a promise is waited for: that is how to pause. False: stop here. */
  readonly onProgress?: (progress: Progress) => boolean | void | Promise<boolean | void>
}

const AT_ONCE = 16
const LOOKS = 5
const LOOK_AGAIN_MS = 20

type Outcome = Awaited<ReturnType<SessionBackend['importOne']>>

/** Copies every live session. Can be repeated, and stopped and continued; never brings back what ended on the target. */
export async function copySessions(from: SessionBackend, to: SessionBackend, options: CopyOptions = {}): Promise<Progress> {
  const { atOnce = AT_ONCE, onProgress } = options
  const counts = { imported: 0, known: 0, dead: 0 }
  let cursor = options.cursor
  let batch: PortableSession[] = []
  const write = async (): Promise<boolean> => {
    const outcomes = await Promise.all(batch.map(async (session) => await copyOne(from, to, session)))
    for (const outcome of outcomes) counts[outcome]++
    const last = batch.at(-1)
    if (last !== undefined) cursor = birthText(last.birth)
    batch = []
    return (await onProgress?.(progress())) !== false
  }
  const progress = (): Progress => ({ copied: counts.imported, known: counts.known, dead: counts.dead, cursor })
  for await (const session of from.exportAll(options.cursor)) {
    batch.push(session)
    if (batch.length >= atOnce && !(await write())) return progress()
  }
  if (batch.length > 0) await write()
  return progress()
}

async function copyOne(from: SessionBackend, to: SessionBackend, session: PortableSession): Promise<Outcome> {
  const outcome = await to.importOne(session)
  if (outcome === 'dead' || (await from.read(session.birth)) !== undefined) return outcome
  // It ended while its copy was on the way; the target may have heard of that before it had anything to end.
  await to.destroy(session.birth, 'destroyed', {})
  return 'dead'
}

/**
 * Sessions that differ, each looked at in a moment of its own, so that requests can go on meanwhile. One that changes
 * while it is looked at is looked at again.
 */
export async function countDifferences(a: SessionBackend, b: SessionBackend): Promise<number> {
  let count = 0
  for await (const { birth } of a.exportAll()) if (await differs(birth, a, b)) count++
  for await (const { birth } of b.exportAll()) {
    if ((await a.exportOne(birth)) === undefined && (await differs(birth, a, b))) count++
  }
  return count
}

async function differs(birth: SessionRef, a: SessionBackend, b: SessionBackend): Promise<boolean> {
  for (let look = 0; look < LOOKS; look++) {
    const [one, other] = await Promise.all([fingerprintOf(birth, a), fingerprintOf(birth, b)])
    if (one === other) return false
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
  }
  return true
}

async function fingerprintOf(birth: SessionRef, backend: SessionBackend): Promise<string | undefined> {
  const session = await backend.exportOne(birth)
  if (session === undefined) return undefined
  const fingerprint = new Fingerprint()
  fingerprint.add(session)
  return fingerprint.toString()
}

/** Copies until both hold the same: what changed during one walk is found by the next. Answers whether that succeeded. */
export async function migrate(
  from: SessionBackend,
  to: SessionBackend,
  { rounds = 5, ...options }: CopyOptions & { readonly rounds?: number } = {},
): Promise<Progress & { readonly equal: boolean }> {
  const { atOnce = AT_ONCE } = options
  const copy = { isStopped: false }
  const onProgress = async (progress: Progress): Promise<boolean> => {
    copy.isStopped = (await options.onProgress?.(progress)) === false
    return !copy.isStopped
  }
  let total = await copySessions(from, to, { ...options, onProgress })
  for (let round = 1; round < rounds && !copy.isStopped; round++) {
    if ((await from.digest()) === (await to.digest())) return { ...total, equal: true }
    const more = await copySessions(from, to, { atOnce, onProgress })
    total = { ...total, copied: total.copied + more.copied, dead: more.dead }
  }
  return { ...total, equal: !copy.isStopped && (await from.digest()) === (await to.digest()) }
}
