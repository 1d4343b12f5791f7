import { afterEach, expect, test } from 'vitest'
import { Browser } from '../support/browser.js'
import { each, report, spread } from '../support/load.js'
import { Members } from '../support/members.js'

let cluster: Members | undefined

afterEach(async () => {
  await cluster?.stop()
  cluster = undefined
})

/** One browser: writes on one node, reads on the next right after, and so on round the cluster. */
async function wander(members: Members, browser: Browser, rounds: number): Promise<{ stale: number; reads: number[] }> {
  const reads: number[] = []
  let stale = 0
  await browser.get(members.member(0).port, '/login?user=ada')
  for (let i = 0; i < rounds; i++) {
    await browser.get(members.member(i).port, `/set?n=${i}`)
    const page = await browser.get(members.member(i + 1).port, '/get?name=n')
    reads.push(page.ms)
    if (page.value !== String(i)) stale++
  }
  return { stale, reads }
}

test('a browser reads its own write on the next node, with 200 ms between the nodes', async () => {
  cluster = await Members.start({ size: 3, delayMs: 200 })
  const members = cluster
  const results = { with: { stale: 0, reads: [] as number[] }, without: { stale: 0, reads: [] as number[] } }

  await each(40, 40, async (i) => {
    const into = i < 20 ? results.with : results.without
    const { stale, reads } = await wander(members, new Browser(i < 20), 20)
    into.stale += stale
    into.reads.push(...reads)
  })

  report('200 ms one way, read right after write on the next node: stale with stamps', `${results.with.stale} of ${results.with.reads.length}`)
  report('the same without stamps', `${results.without.stale} of ${results.without.reads.length}`)
  report('the read with stamps, ms (it waits for what is on its way, half a round trip)', spread(results.with.reads))
  report('the read without stamps, ms', spread(results.without.reads))
  expect(results.with.stale).toBe(0)
  expect(results.without.stale).toBeGreaterThan(0)
})
