import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RedisServer, until } from './redis.js'

/** A primary with a replica, watched by three Sentinels. */
export interface RedisWithSentinels {
  readonly servers: readonly RedisServer[]
  readonly sentinels: readonly RedisServer[]
  /** `host:port` of the primary, as the Sentinels see it. */
  primary(): Promise<string>
  stop(): Promise<void>
}

const NAME = 'mymaster'

export async function startSentinels(downAfterMs: number): Promise<RedisWithSentinels> {
  const primary = await RedisServer.start([['repl-diskless-sync-delay', '0']])
  const replica = await RedisServer.start([['replicaof', '127.0.0.1', String(primary.port)]])
  const lines = [
    `sentinel monitor ${NAME} 127.0.0.1 ${primary.port} 2`,
    `sentinel down-after-milliseconds ${NAME} ${downAfterMs}`,
    `sentinel failover-timeout ${NAME} 5000`,
    `sentinel parallel-syncs ${NAME} 1`,
  ]
  const configure = (folder: string): string => {
    const file = join(folder, 'sentinel.conf')
    writeFileSync(file, `${lines.join('\n')}\n`)
    return file
  }
  const sentinels = await Promise.all([0, 1, 2].map(() => RedisServer.startSentinel(configure)))
  for (const sentinel of sentinels) {
    await until(async () => {
      const known = String(await sentinel.command('info', 'sentinel'))
      return known.includes('status=ok') && known.includes('slaves=1') && known.includes('sentinels=3')
    })
  }
  const all = [primary, replica]
  return {
    servers: all,
    sentinels,
    primary: async () => {
      const address = await sentinels[0]?.command('sentinel', 'get-master-addr-by-name', NAME)
      return Array.isArray(address) ? address.join(':') : ''
    },
    stop: async () => void (await Promise.all([...all, ...sentinels].map((server) => server.stop()))),
  }
}
