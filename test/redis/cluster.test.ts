import { afterAll, beforeAll } from 'vitest'
import { backendContract } from '../backend/contract.js'
import { startRedisCluster, type RedisServer } from '../support/redis.js'
import { contractOver } from './support.js'

let servers: readonly RedisServer[] = []
beforeAll(async () => {
  servers = await startRedisCluster()
})
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()))
})

backendContract('redis cluster of three primaries, two nodes,', (limits) =>
  contractOver({ cluster: servers.slice(0, 2).map((server) => server.address) }, servers, 2, {}, limits),
)
