import { hash } from 'node:crypto'
import { CHANGES, WORDS } from './prelude.js'

/** One atomic step on the server: everything it reads and writes lies in one slot. */
export interface Script {
  readonly name: string
  readonly lua: string
  readonly sha: string
}

/**
 * Every script gets one key, which names the slot, and at least three arguments: namespace, shard, and the actor of the
 * process that runs it. It makes the names of further keys of that same hash tag itself; Redis and Redis Cluster allow
 * that, because all of them lie in the slot of the first. `first` runs before the shared words are made, which takes as
 * long as a few commands.
 */
export function script(name: string, kind: 'reads' | 'changes', body: string, first = ''): Script {
  const lua = `${first}${WORDS}${kind === 'reads' ? '' : CHANGES}${body}`
  return { name, lua, sha: hash('sha1', lua, 'hex') }
}
