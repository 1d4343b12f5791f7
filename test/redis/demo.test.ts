import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { RedisServer } from '../support/redis.js'

const main = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))

interface Told {
  readonly ok: boolean
  readonly error?: string
  readonly backend: string
}

async function check(backend: string, environment: NodeJS.ProcessEnv): Promise<{ readonly code: number | null; readonly told: Told }> {
  const flags = ['demo', '--check', '--json', '--backend', backend, '--store', 'mesh', '--sessions', '50', '--clicks', '5']
  const child = spawn(process.execPath, [main, ...flags], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
  const code = new Promise<number | null>((resolve) => child.once('exit', resolve))
  return { told: JSON.parse(await text(child.stdout)) as Told, code: await code }
}

test.each(['redis', 'tiered'])('the demo keeps every promise with backend %s and a redis-server of its own', async (backend) => {
  const { REDIS_URL: _, ...environment } = process.env

  const { code, told } = await check(backend, environment)

  expect(told).toMatchObject({ ok: true, backend })
  expect(code).toBe(0)
})

test('the demo takes the Redis that REDIS_URL names', async () => {
  const server = await RedisServer.start()
  try {
    const { told } = await check('redis', { ...process.env, REDIS_URL: `redis://${server.address}/3` })

    expect(told).toMatchObject({ ok: true })
    expect(String(await server.command('INFO', 'keyspace'))).toMatch(/db3:keys=\d+/)
  } finally {
    await server.stop()
  }
})
