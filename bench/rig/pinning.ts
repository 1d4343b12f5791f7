/** Servers and load on cores of their own, where there are two and `taskset`. */
import { spawnSync } from 'node:child_process'
import { allowedCores } from './proc.js'

export interface Pinning {
  /** Put before a command that serves. */
  readonly servers: readonly string[]
  /** Put before a command that belongs to the load. */
  readonly load: readonly string[]
  /** What a reader must know where nothing is pinned. */
  readonly note: string | undefined
}

/** Pins this process, which puts the load on, to the upper half of the cores, and says how to pin servers to the lower. */
export function pinThisProcess(pid: number): Pinning {
  const cores = allowedCores()
  if (cores === undefined || cores.length < 2) return unpinned('there are not two cores')
  const half = Math.floor(cores.length / 2)
  const [servers, load] = [cores.slice(0, half).join(','), cores.slice(half).join(',')]
  const done = spawnSync('taskset', ['-a', '-c', '-p', load, String(pid)], { stdio: 'ignore' })
  if (done.status !== 0) return unpinned('there is no taskset')
  return { servers: ['taskset', '-c', servers], load: ['taskset', '-c', load], note: undefined }
}

export function unpinned(why: string): Pinning {
  return { servers: [], load: [], note: `servers and load shared the same cores: ${why}` }
}
