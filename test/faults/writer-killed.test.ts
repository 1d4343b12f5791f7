import { expect, test, vi } from 'vitest'
import { report, spread } from '../support/load.js'
import { Members } from '../support/members.js'

const KILLS = Number(process.env['KILLS'] ?? 20)
const RATE = 1_000

/** Kills the writing node in mid-write; answers how many acknowledged writes no survivor has, of how many. */
async function killTheWriter(members: Members, acks: 'async' | 'one', afterWrites: number): Promise<{ lost: number; acknowledged: number }> {
  const writer = members.member(0)
  writer.acknowledged.length = 0
  const writing = writer.ask({ type: 'write', rate: RATE, seconds: 30, acks }).catch(() => {})
  await vi.waitFor(() => expect(writer.acknowledged.length).toBeGreaterThan(afterWrites), { interval: 1, timeout: 20_000 })
  await writer.kill()
  void writing
  const ids = [...writer.acknowledged]
  const held = await Promise.all([1, 2].map((i) => members.member(i).ask<number>({ type: 'held', ids })))
  await writer.start()
  await writer.ready()
  return { lost: ids.length - Math.max(...held), acknowledged: ids.length }
}

test.each(['one', 'async'] as const)(`${KILLS} kills -9 of the writer at ${RATE} writes/s, acks %s`, async (acks) => {
  const members = await Members.start({ size: 3 })
  const lost: number[] = []
  let acknowledged = 0
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const result = await killTheWriter(members, acks, 800 + 37 * kill)
      lost.push(result.lost)
      acknowledged += result.acknowledged
    }
  } finally {
    await members.stop()
  }

  const total = lost.reduce((sum, n) => sum + n, 0)
  report(`writer killed ${KILLS} times at ${RATE} writes/s, acks ${acks}: acknowledged writes lost`, `${total} of ${acknowledged}`)
  report('lost per kill', spread(lost))
  expect(acknowledged).toBeGreaterThan(KILLS * 500)
  if (acks === 'one') expect(total).toBe(0)
})
