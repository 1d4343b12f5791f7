import { afterAll, beforeAll } from 'vitest'
import { backendContract } from '../backend/contract.js'
import { mergeContract } from '../backend/merge-contract.js'
import { RedisServer } from '../support/redis.js'
import { contractOver } from './support.js'

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(async () => {
  await server.stop()
})

backendContract('redis, one node,', (limits) => contractOver({ port: server.port }, [server], 1, {}, limits))
backendContract('redis, two nodes, write here and read there,', (limits) =>
  contractOver({ port: server.port }, [server], 2, {}, limits),
)
mergeContract('redis, two nodes,', () => contractOver({ port: server.port }, [server], 2))
mergeContract('redis with values as JSON,', () => contractOver({ port: server.port }, [server], 2, { json: true }))
backendContract('redis with values as JSON,', (limits) =>
  contractOver({ port: server.port }, [server], 2, { json: true }, limits),
)
