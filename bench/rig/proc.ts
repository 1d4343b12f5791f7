/** CPU time as the operating system counted it (Linux: proc(5)). Elsewhere everything here is undefined. */
import { readdirSync, readFileSync } from 'node:fs'

/** Ticks per second of the counters in /proc: fixed by the kernel's interface. */
const TICKS_PER_SECOND = 100
const NS_PER_MS = 1_000_000

/** User and system time of all threads of a process, milliseconds. */
export function processCpuMs(pid: number): number | undefined {
  return scheduledMs(pid) ?? tickedMs(pid)
}

/** By the scheduler, to the nanosecond; not every kernel tells. */
function scheduledMs(pid: number): number | undefined {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    const times = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
    const sum = times.reduce((total, ns) => total + Number(ns), 0)
    return sum > 0 ? sum / NS_PER_MS : undefined
  } catch {
    return undefined
  }
}

/** In hundredths of a second. */
function tickedMs(pid: number): number | undefined {
  const text = read(`/proc/${pid}/stat`)
  // The name of the program stands in parentheses and may hold anything.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ')
  const [user, system] = [Number(fields?.[11]), Number(fields?.[12])]
  return Number.isFinite(user + system) ? toMs(user + system) : undefined
}

/** Busy time of all cores, milliseconds; without interrupts, which nobody can be blamed for. */
export function machineCpuMs(): number | undefined {
  const [line = ''] = read('/proc/stat')?.split('\n') ?? []
  const [name, user, nice, system, , , , , steal] = line.split(/\s+/)
  if (name !== 'cpu') return undefined
  return toMs(Number(user) + Number(nice) + Number(system) + Number(steal ?? 0))
}

/** Cores that this process may use, by number; undefined where the platform does not say. */
export function allowedCores(): readonly number[] | undefined {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(read('/proc/self/status') ?? '')?.[1]
  return list === undefined ? undefined : coresOf(list)
}

/** `0-2,5` as numbers. */
export function coresOf(list: string): readonly number[] {
  return list.split(',').flatMap((part) => {
    const [from = 0, to = from] = part.split('-').map(Number)
    return Array.from({ length: to - from + 1 }, (_, i) => from + i)
  })
}

function toMs(ticks: number): number {
  return (ticks / TICKS_PER_SECOND) * 1_000
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
