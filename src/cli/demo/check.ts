import { expect } from './console.js'
import type { CrowdSize } from './crowd.js'
import { crowdClicks, crowdSurvivesKill, type KillResult } from './load.js'
import type { Store } from './node-process.js'
import type { Figures } from './tally.js'
import { clickLinks, type LoopResult, type Stage, Walk } from './walk.js'

export interface CheckResult {
  loop: Partial<Record<Store, LoopResult>>
  load: Partial<Record<Store, Figures>>
  kill?: KillResult
}

/** The story of the demo, told by itself. Throws StepFailed where something is not as promised. */
export async function check(
  stage: Stage,
  size: CrowdSize,
  stores: readonly Store[],
  result: CheckResult,
): Promise<void> {
  if (stores.includes('memory')) await memoryActs(stage, size, result)
  if (stores.includes('mesh')) await meshActs(stage, size, result)
}

async function memoryActs(stage: Stage, size: CrowdSize, result: CheckResult): Promise<void> {
  const { console, supervisor } = stage
  await supervisor.use('memory')
  console.act('Every node keeps its own sessions', supervisor.line)
  await console.step('all', 'log in once, click 12 links: the login loop', async () => {
    const loop = (result.loop.memory = await clickLinks(stage))
    expect(loop.loginRedirects > 0, 'there was no login loop')
    return `${loop.loginRedirects} of ${loop.clicks} at the login page`
  })
  await console.step('all', crowdOf(size), async () => {
    const figures = (result.load.memory = await crowdClicks(stage, size))
    expect(figures.loginRedirects > 0, 'there was no login loop')
    return rates(figures)
  })
}

async function meshActs(stage: Stage, size: CrowdSize, result: CheckResult): Promise<void> {
  const { console, supervisor } = stage
  await supervisor.use('mesh')
  console.act('The nodes share them', supervisor.line)
  await console.step('all', 'log in once, click 12 links', async () => {
    const loop = (result.loop.mesh = await clickLinks(stage))
    expect(loop.loginRedirects === 0, `${loop.loginRedirects} of ${loop.clicks} ended at the login page`)
    return `0 of ${loop.clicks} at the login page`
  })
  await new Walk(stage).go()
  await console.step('all', crowdOf(size), async () => {
    const figures = (result.load.mesh = await crowdClicks(stage, size))
    expectHome(figures)
    expect(figures.unanswered === 0, `${figures.unanswered} requests were not answered`)
    expect(figures.staleCarts === 0, `${figures.staleCarts} pages did not show what their browser had done`)
    return rates(figures)
  })
  console.act('The same crowd, and a node dies')
  await console.step('all', crowdOf(size), async () => {
    const kill = (result.kill = await crowdSurvivesKill(stage, size))
    expectHome(kill.figures)
    return rates(kill.figures)
  })
  const { kill } = result
  if (kill !== undefined) await killActs(stage, size, kill)
}

async function killActs({ console }: Stage, size: CrowdSize, kill: KillResult): Promise<void> {
  await console.step(kill.killed, 'was killed with signal 9 among the clicks', async () => {
    expect(kill.lost === 0, `${kill.lost} of ${count(size.sessions)} sessions lost`)
    const fresh = `${kill.fresh} of them changed in its last second, ${kill.freshLost} of those lost`
    return `0 of ${count(size.sessions)} sessions lost (${fresh})`
  })
  await console.step(kill.killed, 'was started again and is asked for every session', async () => {
    const served = `${count(kill.servedByRestarted)} of ${count(size.sessions)} served`
    expect(kill.servedByRestarted === size.sessions - kill.freshLost, served)
    return `${served}, ready after ${Math.round(kill.readyMs)} ms`
  })
}

function expectHome(figures: Figures): void {
  expect(figures.loginRedirects === 0, `${figures.loginRedirects} clicks ended at the login page`)
  expect(figures.strangers === 0, `${figures.strangers} pages did not know who was looking`)
}

function crowdOf(size: CrowdSize): string {
  return `${count(size.sessions)} browsers, ${size.concurrency} at a time, ${size.clicks} clicks each`
}

function rates(figures: Figures): string {
  const loop = `${count(figures.loginRedirects)} of ${count(figures.clicks)} clicks at the login page`
  const { requestsPerSecond, p50Ms, p99Ms } = figures
  return `${loop}, ${count(requestsPerSecond)} requests/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms`
}

function count(number: number): string {
  return number.toLocaleString('en-US')
}

