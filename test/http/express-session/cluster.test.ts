import { expect, it, onTestFinished } from 'vitest'
import { createCluster, type Cluster } from '../../../src/cluster.js'
import type { ClusterConfig } from '../../../src/config/input.js'
import { SessionMeshStore } from '../../../src/express-session.js'

const ID = 'an-id-that-express-session-made-1'

async function open(config: Partial<ClusterConfig> = {}): Promise<Cluster> {
  const cluster = await createCluster({ name: 'shop', backend: { type: 'memory' }, ...config })
  onTestFinished(async () => await cluster.close())
  return cluster
}

const lifetimeOf = async ({ backend }: Cluster): Promise<number | undefined> => {
  const found = await backend.load(ID, undefined, { deadline: Date.now() + 1_000 })
  return found.state === 'found' ? found.session.maxIdleMs : undefined
}

it("a cluster's store serves its sessions, counts for its metrics, and says when the cluster has left", async () => {
  const cluster = await open()
  const store = cluster.store()
  const left = new Promise((resolve) => store.once('disconnect', () => resolve('left')))

  await store.set(ID, { cookie: {}, n: 1 })

  expect(store).toBeInstanceOf(SessionMeshStore)
  expect(await new SessionMeshStore(cluster).get(ID)).toEqual({ cookie: {}, n: 1 })
  expect(cluster.metrics()).toMatchObject({ session_mesh_store_creates_total: 1 })
  await cluster.close()
  expect(await left).toBe('left')
})

it('sessions without a lifetime of their own live a day, or as long as the configuration says', async () => {
  const [plain, configured] = [await open(), await open({ session: { ttl: '2h' } })]
  for (const cluster of [plain, configured]) await cluster.store().set(ID, { cookie: {} })
  expect([await lifetimeOf(plain), await lifetimeOf(configured)]).toEqual([86_400_000, 7_200_000])
})

it('the limits of the configuration are those of the store', async () => {
  const cluster = await open({ limits: { attributes: 2 } })
  await expect(cluster.store().set(ID, { cookie: {}, a: 1, b: 2 })).rejects.toThrow('at most 2')
})
