import { afterEach, describe, expect, test } from 'vitest'
import { Browser } from '../support/browser.js'
import { each, report, spread } from '../support/load.js'
import { Member, Members } from '../support/members.js'

let cluster: Members | undefined

afterEach(async () => {
  await cluster?.stop()
  cluster = undefined
})

describe('three processes', () => {
  test('a fresh login on A is at once a click on B, 10,000 times with 5 ms between the nodes', async () => {
    cluster = await Members.start({ size: 2, delayMs: 5 })
    const [a, b] = [cluster.member(0).port, cluster.member(1).port]
    let refused = 0
    const clicks: number[] = []

    await each(10_000, 50, async (i) => {
      const browser = new Browser(i % 2 === 0)
      await browser.get(a, `/login?user=u${i}`)
      const page = await browser.get(b, '/get?name=user')
      clicks.push(page.ms)
      if (page.value !== `u${i}`) refused++
    })

    report('login on A, click on B at once, 5 ms one way: refused of 10,000', refused)
    report('the click, ms', spread(clicks))
    expect(refused).toBe(0)
  })

  test('a joining node takes over 100,000 sessions while the donors go on serving', async () => {
    cluster = await Members.start({ size: 2 })
    const [donor, other] = [cluster.member(0), cluster.member(1)]
    const ids = await donor.ask<string[]>({ type: 'fill', sessions: 100_000, bytes: 256 })
    await expect.poll(() => other.ask<{ sessions: number }>({ type: 'size' }), { timeout: 30_000 }).toMatchObject({ sessions: 100_000 })
    const browser = new Browser()
    await browser.get(donor.port, '/login?user=ada')
    const click = async (): Promise<number> => (await browser.get(donor.port, '/get')).ms
    const before: number[] = []
    for (let i = 0; i < 500; i++) before.push(await click())

    const peers = [donor, other].map((member) => member.config.node?.listen ?? '')
    const joiner = new Member('node-9', { ...donor.config, node: { id: 'node-9', listen: '127.0.0.1:0' }, peers })
    cluster.members.push(joiner)
    const startedAt = performance.now()
    await joiner.start()
    let ready = false
    const joined = joiner.ready().then(() => (ready = true))
    const during: number[] = []
    while (!ready) during.push(await click())
    await joined

    report('join with 100,000 sessions, from start of the process to ready, ms', Math.round(performance.now() - startedAt))
    report('request at the donor, ms: before', spread(before))
    report('request at the donor, ms: during the transfer', spread(during))
    expect((await joiner.ask<{ sessions: number }>({ type: 'size' })).sessions).toBe(100_001)
    expect(await joiner.ask({ type: 'digest' })).toBe(await donor.ask({ type: 'digest' }))
    expect(ids.length).toBe(100)
  })
})
