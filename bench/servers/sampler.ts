/** What the main thread of this process does, sampled by V8. */
import { Session, type Profiler } from 'node:inspector/promises'
import { selfTimes } from '../method/self-times.js'
import type { Handlers } from './orders.js'
import { ownCpuMs } from './own-cpu.js'

/** Microseconds. More often, and the sampling itself is what is seen. */
const INTERVAL_US = 500

const session = new Session()
let cpuMsBefore = 0

export const SAMPLING: Handlers = {
  sample: async () => {
    session.connect()
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: INTERVAL_US })
    await session.post('Profiler.start')
    cpuMsBefore = ownCpuMs()
    return null
  },
  sampled: async () => {
    const cpuMs = ownCpuMs() - cpuMsBefore
    const { profile }: Profiler.StopReturnType = await session.post('Profiler.stop')
    session.disconnect()
    return { cpuMs, times: Object.fromEntries(selfTimes(profile)) }
  },
}
