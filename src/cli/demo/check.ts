import { expect } from './console.js'
import type { CrowdSize } from './crowd.js'
import { crowdClicks, KillRun, type Restarted, type Survivors } from './load.js'
import type { Store } from './node-process.js'
import type { Figures } from './tally.js'
import { clickLinks, type LoopResult, type Stage, Walk } from './walk.js'

export interface CheckResult {
  loop: Partial<Record<Store, LoopResult>>
  load: Partial<Record<Store, Figures>>
  kill: { clicks?: Figures; survivors?: Survivors; restarted?: Restarted }
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
  await killActs(stage, size, result)
}

async function killActs(stage: Stage, size: CrowdSize, { kill }: CheckResult): Promise<void> {
  const { console } = stage
  const run = new KillRun(stage, size)
  console.act('The same crowd, and a node dies')
  try {
    await console.step('all', `the same, while ${run.victim} is killed (-9) and started again`, async () => {
      kill.clicks = await run.clicks()
      expectHome(kill.clicks)
      return rates(kill.clicks)
    })
    await console.step('rest', 'the survivors are asked for every session', async () => {
      const { lost, fresh, freshLost } = (kill.survivors = await run.survivors())
      expect(lost === 0, `${lost} of ${count(size.sessions)} sessions lost`)
      const recent = `${fresh} of them changed in the last second before the kill, ${freshLost} of those lost`
      return `0 of ${count(size.sessions)} sessions lost (${recent})`
    })
    await console.step(run.victim, 'the restarted node is asked for every session', async () => {
      const { served, readyMs } = (kill.restarted = await run.restarted())
      const told = `${count(served)} of ${count(size.sessions)} served`
      expect(served >= size.sessions - (kill.survivors?.freshLost ?? 0), told)
      return `${told}; it was ready ${Math.round(readyMs)} ms after its start`
    })
  } finally {
    run.leave()
  }
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
  const { requestsPerSecond, p50Ms, p99Ms, unanswered } = figures
  const errors = unanswered === 0 ? '' : `, ${unanswered} without an answer`
  return `${loop}${errors}, ${count(requestsPerSecond)} requests/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms`
}

function count(number: number): string {
  return number.toLocaleString('en-US')
}

