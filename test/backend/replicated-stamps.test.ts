import { expect, test } from 'vitest'
import type { Created } from '../../src/backend/backend.js'
import { LoopbackHub } from '../../src/transport/loopback.js'
import { delta, LIVES, replicatedNode, START } from './tiered/support.js'

test('the answer that makes a session is stamped where its id was made elsewhere, and each write after it', async () => {
  const hub = new LoopbackHub()
  const addresses = [hub.freeAddress(), hub.freeAddress()]
  const nodes = addresses.map((address) =>
    replicatedNode(hub, address, addresses.filter((other) => other !== address), () => START),
  )
  await Promise.all(nodes.map((node) => node.open()))
  await Promise.all(nodes.map((node) => node.ready()))
  const [here] = nodes
  if (here === undefined) throw new Error('no node')

  const own = (await here.create(delta({ n: 1 }), LIVES)) as Created
  const foreign = (await here.create(delta({ n: 1 }), { ...LIVES, id: 'made-elsewhere-0123456789' })) as Created
  const written = await here.save(own.ref, delta({ n: 2 }), {})

  expect(own.seen).toBeUndefined()
  expect(foreign.seen).toBeDefined()
  expect(written).toMatchObject({ outcome: 'done', seen: expect.anything() as unknown })
  await Promise.all(nodes.map((node) => node.close()))
})
