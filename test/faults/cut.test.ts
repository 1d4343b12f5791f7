import { expect, test } from 'vitest'
import { Browser } from '../support/browser.js'
import { each, report } from '../support/load.js'
import { Members } from '../support/members.js'

const SESSIONS = 50
const CUT_MS = Number(process.env['CUT_MS'] ?? 15_000)

test(`a cut of ${CUT_MS / 1_000} s between one node and two: both sides write, nothing is lost`, async () => {
  const members = await Members.start({ size: 3, delayMs: 0 })
  try {
    const browsers = Array.from({ length: SESSIONS }, () => new Browser())
    await each(SESSIONS, 20, async (i) => void (await (browsers[i] as Browser).get(members.member(i).port, `/login?user=u${i}`)))
    await expect.poll(() => digests(members)).toSatisfy(allEqual)
    for (const wire of members.wiresOf(0)) wire.cut()

    const written = { left: new Map<number, number>(), right: new Map<number, number>() }
    let failed = 0
    const until = performance.now() + CUT_MS
    for (let n = 0; performance.now() < until; n++) {
      await each(SESSIONS, 20, async (i) => {
        const left = await (browsers[i] as Browser).get(members.member(0).port, `/set?left=${n}&both=l${n}`)
        const right = await (browsers[i] as Browser).get(members.member(1 + (i % 2)).port, `/set?right=${n}&both=r${n}`)
        if (left.status === 200) written.left.set(i, n)
        if (right.status === 200) written.right.set(i, n)
        failed += Number(left.status !== 200) + Number(right.status !== 200)
      })
      await new Promise((resolve) => setTimeout(resolve, 200))
    }

    for (const wire of members.wiresOf(0)) wire.heal()
    const healedAt = performance.now()
    await expect.poll(() => digests(members), { timeout: 20_000, interval: 20 }).toSatisfy(allEqual)
    const healMs = Math.round(performance.now() - healedAt)

    let lost = 0
    await each(SESSIONS, 20, async (i) => {
      for (let node = 0; node < 3; node++) {
        const read = async (name: string): Promise<unknown> =>
          (await (browsers[i] as Browser).get(members.member(node).port, `/get?name=${name}`)).value
        if ((await read('left')) !== String(written.left.get(i))) lost++
        if ((await read('right')) !== String(written.right.get(i))) lost++
        if (!/^[lr]\d+$/.test(String(await read('both')))) lost++
      }
    })
    report(`${CUT_MS / 1_000} s cut, ${SESSIONS} sessions written on both sides: acknowledged writes lost`, lost)
    report('requests that failed during the cut', failed)
    report('all digests equal after the heal, ms', healMs)
    expect(lost).toBe(0)
    expect(healMs).toBeLessThan(2_000)
  } finally {
    await members.stop()
  }
})

async function digests(members: Members): Promise<readonly string[]> {
  return await Promise.all(members.members.map((member) => member.ask<string>({ type: 'digest' })))
}

function allEqual(all: readonly string[]): boolean {
  return all.every((digest) => digest === all[0])
}
