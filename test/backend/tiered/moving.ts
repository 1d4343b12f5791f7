import { expect } from 'vitest'
import type { SessionBackend } from '../../../src/backend/backend.js'
import { Migration } from '../../../src/backend/tiered/migration.js'
import { silent } from '../../../src/log.js'
import { delta, digestsAgree, LIVES, turns, valuesIn } from './support.js'

export interface Moving {
  /** One of each per node. */
  readonly from: readonly SessionBackend[]
  readonly to: readonly SessionBackend[]
  readonly now: () => number
  readonly browsers: number
}

/**
 * Browsers that stay logged in, each sending its next request to the next node when the last is answered, while every
 * node goes through a migration there, back, and there again, one node a step behind the other.
 */
export async function moveUnderLoad({ from, to, now, browsers }: Moving): Promise<void> {
  const migrations = from.map((one, node) => new Migration({ from: one, to: to[node] ?? one, now, log: silent }))
  const nodes = migrations.map(({ backend }) => backend)
  const counts = { requests: 0, loggedOut: 0, lost: 0, ended: 0 }
  const ended: string[] = []
  const crowdIs = { over: false }

  const browser = async (number: number): Promise<void> => {
    const nodeAt = (turn: number): SessionBackend => nodes[(number + turn) % nodes.length] as SessionBackend
    const created = await nodeAt(0).create({ ...delta({ user: number, clicks: 0 }), principal: `user ${number}` }, LIVES)
    let { id } = created
    await turns(8)
    for (let clicks = 1; !crowdIs.over || clicks < 10; clicks++) {
      const node = nodeAt(clicks)
      const found = await node.load(id, undefined, { deadline: now() + 10_000 })
      counts.requests++
      if (found.state !== 'found') {
        counts.loggedOut++
        return
      }
      const values = valuesIn(found.session)
      if (values['clicks'] !== clicks - 1 || values['user'] !== number) counts.lost++
      if (clicks % 7 === 0) id = (await node.rotate(found.ref, delta({ clicks }), {})).id ?? id
      else await node.save(found.ref, delta({ clicks }), {})
      if (number % 10 === 0 && crowdIs.over) {
        await node.destroy(found.ref, 'logged-out', {})
        ended.push(id)
        return
      }
      // A replicated side tells its other nodes of it meanwhile.
      await turns(8)
    }
  }
  const crowd = Array.from({ length: browsers }, (_, number) => browser(number))
  const each = async (step: (migration: Migration) => Promise<unknown>): Promise<void> => {
    for (const migration of migrations) {
      await step(migration)
      await turns(50)
    }
  }

  await turns(50)
  await each((migration) => migration.start())
  await each((migration) => migration.backFill())
  expect(await migrations[0]?.differences()).toBe(0)
  await each((migration) => migration.switchReads())
  await each((migration) => migration.switchBack())
  await each((migration) => migration.switchReads())
  crowdIs.over = true
  await Promise.all(crowd)
  await turns(50)

  expect(counts).toMatchObject({ loggedOut: 0, lost: 0 })
  expect(counts.requests).toBeGreaterThan(browsers * 10)
  await digestsAgree(...from, ...to)
  for (const id of ended) {
    for (const backend of [...from, ...to]) {
      expect((await backend.load(id, undefined, { deadline: now() + 10_000 })).state).toBe('none')
    }
  }
  await each((migration) => migration.finish())
}
