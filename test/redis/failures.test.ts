/** What a node says and does when Redis is away, slow, full, read-only, empty, or does not let it in. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Log } from '../../src/log.js'
import { importIoredis, type RedisTarget } from '../../src/backend/redis/dial.js'
import type { RedisBackend, RedisBackendOptions } from '../../src/backend/redis/redis.js'
import { BackendError } from '../../src/errors.js'
import { freePort } from '../free-port.js'
import { each } from '../support/load.js'
import { RedisServer, type Setting } from '../support/redis.js'
import { backendOf, delta, LIVES, load, openBackend, space, valuesOf } from './support.js'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

async function started(settings: readonly Setting[] = [], port?: number): Promise<RedisServer> {
  const server = await RedisServer.start(settings, port)
  cleanups.push(() => server.stop())
  return server
}

async function opened(target: RedisTarget, options: Partial<RedisBackendOptions> = {}): Promise<RedisBackend> {
  const backend = await openBackend(target, { prefix: space(), ...options })
  cleanups.push(() => backend.close())
  return backend
}

/** What no CPU, a long collection, or a sleeping machine does to a process. */
function holdUp(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

/** The message of a rejection, and after how many milliseconds it came. */
async function rejection(promise: Promise<unknown>): Promise<{ readonly message: string; readonly ms: number }> {
  const from = performance.now()
  try {
    await promise
  } catch (error) {
    if (!(error instanceof BackendError)) throw error
    expect(error.message).not.toContain('\n')
    return { message: error.message, ms: performance.now() - from }
  }
  throw new Error('was not rejected')
}

function recorded(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = []
  return { log: (level, event, fields) => void lines.push(`${level} ${event} ${JSON.stringify(fields)}`), lines }
}

describe('at the start', () => {
  it('Redis that is not there: one line with host, port, what was tried and one fix', async () => {
    const port = await freePort()
    const { message, ms } = await rejection(openBackend({ port }, { timeoutMs: 300 }))

    expect(message).toMatch(
      new RegExp(
        `^Redis at 127\\.0\\.0\\.1:${port} is not reachable \\(\\d+ connection attempts in \\d+ ms; .*ECONNREFUSED.*\\); ` +
          'start redis-server there, or correct the address in `backend`$',
      ),
    )
    expect(ms).toBeLessThan(1_500)
  })

  it.each<[what: string, target: RedisTarget, line: RegExp]>([
    ['an unknown host', { host: 'no-such-host.invalid' }, /no-such-host\.invalid:6379 .*(ENOTFOUND|EAI_AGAIN)/],
    ['Sentinels that are away', { sentinels: ['127.0.0.1:1'], name: 'm' }, /the primary m of the Sentinels 127\.0\.0\.1:1/],
    ['a cluster that is away', { cluster: ['127.0.0.1:1', '127.0.0.1:2'] }, /the cluster 127\.0\.0\.1:1, 127\.0\.0\.1:2/],
    ['a URL with credentials', { url: 'redis://me:hunter2@127.0.0.1:1/3' }, /^Redis at 127\.0\.0\.1:1 is not reachable/],
  ])('%s is told without credentials', async (_what, target, line) => {
    const { message } = await rejection(openBackend(target, { timeoutMs: 200 }))
    expect(message).toMatch(line)
    expect(message).not.toContain('hunter2')
  })

  it('with onUnreachable wait it starts, answers errors at once, and is ready when Redis comes', async () => {
    const port = await freePort()
    const { log, lines } = recorded()
    const backend = await opened({ port }, { onUnreachable: 'wait', timeoutMs: 200, log })
    let isReady = false
    void backend.ready().then(() => (isReady = true))

    const { message, ms } = await rejection(backend.create(delta({}), LIVES))
    expect(message).toContain(`127.0.0.1:${port}`)
    expect(ms).toBeLessThan(50)
    expect(isReady).toBe(false)
    expect(backend.health()).toMatchObject({ ready: false, peers: [{ state: 'down' }] })
    expect(lines.filter((line) => line.startsWith('warn redis-unreachable'))).toHaveLength(1)

    await started([], port)
    await backend.ready()
    expect(backend.health()).toMatchObject({ ready: true })
    expect(await backend.create(delta({}), LIVES)).toMatchObject({ outcome: 'done' })
  })

  it('a wrong password is told at once, and waiting for it would be no use', async () => {
    const server = await started([['requirepass', 'right']])
    const { message, ms } = await rejection(openBackend({ port: server.port, password: 'wrong' }))
    expect(message).toMatch(/does not let this node in \(WRONGPASS.*correct `backend\.username` and `backend\.password`/)
    expect(ms).toBeLessThan(1_000)
    expect((await rejection(openBackend({ port: server.port }))).message).toMatch(/does not let this node in \(NOAUTH/)
  })

  it('a user without dangerous commands will do; one without scripts is told so', async () => {
    const server = await started()
    await server.command('acl', 'setuser', 'app', 'on', '>pw', '~shop:*', '&shop:*', '+@all', '-@dangerous', '-config')
    await server.command('acl', 'setuser', 'bare', 'on', '>pw', '~*', '+@all', '-@scripting')

    const backend = await opened({ port: server.port, username: 'app', password: 'pw' }, { prefix: 'shop' })
    const { id } = await backend.create(delta({ n: 1 }), LIVES)
    expect(await valuesOf(backend, id)).toEqual({ n: 1 })

    const { message } = await rejection(openBackend({ port: server.port, username: 'bare', password: 'pw' }))
    expect(message).toMatch(/refused: NOPERM .*(eval|permissions)/i)
  })

  it('CONFIG may be forbidden', async () => {
    const server = await started([['rename-command', 'CONFIG', '']])
    await expect(server.command('config', 'get', 'save')).rejects.toThrow('unknown command')
    const backend = await opened({ port: server.port })
    expect(await backend.create(delta({}), LIVES)).toMatchObject({ outcome: 'done' })
  })

  it.each(['allkeys-lru', 'volatile-ttl'])('an eviction policy that can drop sessions is warned of: %s', async (policy) => {
    const server = await started([['maxmemory-policy', policy]])
    const { log, lines } = recorded()
    await opened({ port: server.port }, { log })
    expect(lines).toEqual([expect.stringMatching(new RegExp(`^warn redis-may-evict .*"${policy}"`))])
  })

  it('says nothing where all is well', async () => {
    const server = await started()
    const { log, lines } = recorded()
    await opened({ port: server.port }, { log })
    expect(lines).toEqual([])
  })

  it('without ioredis, says what to install', async () => {
    const missing = Object.assign(new Error("Cannot find package 'ioredis'"), { code: 'ERR_MODULE_NOT_FOUND' })
    const backend = backendOf({}, { ioredis: () => importIoredis(() => Promise.reject(missing)) })
    expect((await rejection(backend.open())).message).toContain('npm install ioredis')
  })
})

describe('an outage', () => {
  it('every call answers within its deadline, soon at once, and all is well when Redis is back', async () => {
    const server = await started()
    const backend = await opened({ port: server.port }, { timeoutMs: 300 })
    const { id, ref } = await backend.create(delta({ n: 1 }), LIVES)
    await server.kill()

    const waits: number[] = []
    await each(40, 4, async () => {
      waits.push((await rejection(load(backend, id))).ms, (await rejection(backend.save(ref, delta({ n: 2 }), {}))).ms)
    })

    expect(Math.max(...waits)).toBeLessThan(600)
    expect(waits.filter((ms) => ms > 50).length).toBeLessThanOrEqual(12)
    expect(backend.health().ready).toBe(false)
    expect(backend.counters()['session_mesh_redis_circuit_opened_total']).toBe(1)

    await server.start()
    await vi.waitFor(() => expect(backend.health().ready).toBe(true), 5_000)
    expect(await load(backend, id)).toMatchObject({ state: 'none' })
    expect(await backend.create(delta({}), LIVES)).toMatchObject({ outcome: 'done' })
  })

  it('a connection that is cut is made anew, and the call that met it is done', async () => {
    const server = await started()
    const backend = await opened({ port: server.port })
    const { id, ref } = await backend.create(delta({ n: 0 }), LIVES)
    for (let n = 1; n <= 20; n++) {
      const saving = backend.save(ref, delta({ n }), {})
      await server.command('client', 'kill', 'type', 'normal', 'skipme', 'yes')
      expect(await saving).toMatchObject({ outcome: 'done' })
    }
    expect(await valuesOf(backend, id)).toEqual({ n: 20 })
  })

  it.each<[how: string, stall: (server: RedisServer, isStalled: boolean) => Promise<void>]>([
    ['frozen', (server, isStalled) => Promise.resolve(server.freeze(isStalled))],
    [
      'paused',
      async (server, isStalled) => void (isStalled && (await server.command('client', 'pause', 1_500, 'ALL'))),
    ],
  ])('a server that is %s holds nobody up, and is taken back when it goes on', async (_how, stall) => {
    const server = await started()
    const backend = await opened({ port: server.port }, { timeoutMs: 200 })
    const { id } = await backend.create(delta({ n: 1 }), LIVES)
    await load(backend, id)
    await stall(server, true)

    const waits: number[] = []
    await each(30, 3, async () => void waits.push((await rejection(load(backend, id))).ms))
    expect(Math.max(...waits)).toBeLessThan(500)
    expect(Math.min(...waits)).toBeLessThan(20)

    await stall(server, false)
    await vi.waitFor(async () => expect(await valuesOf(backend, id)).toEqual({ n: 1 }), 6_000)
  })

  it.each<[when: string, sent: () => Promise<unknown>]>([
    ['before it has sent anything', () => Promise.resolve()],
    ['while answers are on their way', () => new Promise((resolve) => setImmediate(resolve))],
  ])('a node that is held up for longer than a call may take, %s, takes no answer for missing', async (_when, sent) => {
    const server = await started()
    const backend = await opened({ port: server.port }, { timeoutMs: 200 })
    const { id, ref } = await backend.create(delta({}), LIVES)
    const saves = Array.from({ length: 20 }, (_, n) => backend.save(ref, delta({ [`n${n}`]: n }), {}))
    const loading = load(backend, id)
    await sent()

    holdUp(500)

    expect(await loading).toMatchObject({ state: 'found' })
    for (const saved of await Promise.all(saves)) expect(saved).toEqual({ outcome: 'done' })
    expect(Object.keys(await valuesOf(backend, id))).toHaveLength(20)
    expect(backend.counters()).toMatchObject({
      session_mesh_redis_timeouts_total: 0,
      session_mesh_redis_circuit_opened_total: 0,
    })
  })

  it('FLUSHALL means no session, never an empty one', async () => {
    const server = await started()
    const backend = await opened({ port: server.port })
    const { id, ref } = await backend.create({ ...delta({ user: 'ada' }), principal: 'ada' }, LIVES)
    await server.command('flushall')

    expect(await load(backend, id)).toEqual({ state: 'none', why: 'unknown' })
    expect(await backend.save(ref, delta({ late: 1 }), {})).toEqual({ outcome: 'gone' })
    expect(await backend.rotate(ref, delta({ late: 1 }), {})).toEqual({ outcome: 'gone' })
    backend.touch(ref, Date.now())
    expect(await backend.find('ada')).toEqual([])
    expect(await server.command('dbsize')).toBe(0)
  })
})

describe('a server that refuses', () => {
  it('a full one: writes are told so and change nothing, reads, touches and logouts go on', async () => {
    const server = await started()
    const backend = await opened({ port: server.port })
    const first = await backend.create(delta({ n: 1 }), LIVES)
    await server.command('config', 'set', 'maxmemory', 100_000)

    const { message } = await rejection(backend.create(delta({ n: 2 }), LIVES))
    expect(message).toMatch(/^Redis at \S+ refused: OOM /)
    expect((await rejection(backend.save(first.ref, delta({ n: 2 }), {}))).message).toMatch(/OOM/)
    expect((await rejection(backend.rotate(first.ref, delta({ n: 2 }), {}))).message).toMatch(/OOM/)
    expect(await valuesOf(backend, first.id)).toEqual({ n: 1 })
    backend.touch(first.ref, Date.now() + 1_000)
    expect(await backend.destroy(first.ref, 'logged-out', {})).toMatchObject({ outcome: 'done' })
    expect(await load(backend, first.id)).toMatchObject({ state: 'none', why: 'gone' })
    expect(backend.counters()['session_mesh_touches_failed_total']).toBe(0)
    expect(backend.health().ready).toBe(true)
  })

  it('a replica: nothing is reported as saved, both remedies are named, and its promotion is enough', async () => {
    const server = await started()
    const { log, lines } = recorded()
    const backend = await opened({ port: server.port }, { log })
    const { id, ref } = await backend.create(delta({ n: 1 }), LIVES)
    const absent = await freePort()
    await server.command('replicaof', '127.0.0.1', absent)

    const { message, ms } = await rejection(backend.save(ref, delta({ n: 2 }), {}))
    expect(message).toBe(
      `Redis at 127.0.0.1:${server.port} is a read-only replica of 127.0.0.1:${absent}, so nothing was saved: ` +
        'point `backend` at the primary, or promote this one (REPLICAOF NO ONE)',
    )
    expect(ms).toBeLessThan(1_000)
    await each(20, 20, async () => void (await rejection(backend.create(delta({}), LIVES))))
    expect(backend.counters()['session_mesh_redis_circuit_opened_total']).toBe(0)
    expect(await valuesOf(backend, id)).toEqual({ n: 1 })

    await server.command('replicaof', 'no', 'one')
    expect(await backend.save(ref, delta({ n: 3 }), {})).toMatchObject({ outcome: 'done' })
    expect(await valuesOf(backend, id)).toEqual({ n: 3 })
    expect(lines).toEqual([])
  })

  it('one that answers nonsense is not believed', async () => {
    const { createServer } = await import('node:net')
    const liar = createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (bytes) => socket.write(bytes.toString().includes('info') ? '$0\r\n\r\n' : '+OK\r\n'))
    })
    await new Promise<void>((resolve) => liar.listen(0, '127.0.0.1', resolve))
    const address = liar.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    cleanups.push(async () => void liar.close())
    const { message } = await rejection(openBackend({ port: address.port }, { timeoutMs: 300 }))
    expect(message).toContain('Redis')
  })
})
