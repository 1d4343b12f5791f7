/** Rolling restarts from replicated memory to Redis and back, under load: nobody is logged out, nothing is lost. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import type { BackendConfig } from '../../src/index.js'
import { openBackend } from '../redis/support.js'
import { Crowd } from '../support/crowd.js'
import { report } from '../support/load.js'
import { Member, Members } from '../support/members.js'
import { RedisServer } from '../support/redis.js'

const BROWSERS = Number(process.env['BROWSERS'] ?? 1_000)
/** Sessions that nobody uses meanwhile: only the copy brings them over. */
const IDLE = 2_000
const THINK_MS = 2_500
const CLI = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))

/** Three processes, the browsers before them, and what an operator does to them. */
class Operation {
  readonly #members: Members
  readonly #redis: RedisServer
  readonly #crowd: Crowd
  readonly #startedAt = performance.now()

  constructor(members: Members, redis: RedisServer, crowd: Crowd) {
    this.#members = members
    this.#redis = redis
    this.#crowd = crowd
  }

  /** One node after the other: out of the load balancer, stopped, started with another backend, back when it is ready. */
  async roll(what: 'replicated' | 'both' | 'redis', nodes: readonly number[] = [0, 1, 2]): Promise<void> {
    const far = { type: 'redis', port: this.#redis.port } as const
    const backend: BackendConfig = what === 'both' ? { type: 'tiered', far, mode: 'both' } : what === 'redis' ? far : { type: what }
    for (const node of nodes) {
      const old = this.#members.member(node)
      await this.#crowd.withdraw(node)
      await old.ask({ type: 'close' })
      await old.kill()
      const next = new Member(old.name, { ...old.config, backend })
      this.#members.members[node] = next
      await next.start()
      await next.ready()
      this.#crowd.admit(node, next.port)
    }
    this.#tell(`nodes ${nodes.join(', ')} run with ${what}`)
  }

  /** `session-mesh migrate`, as its user runs it; rejects where it does not find both alike. */
  async migrate(to: 'redis' | 'replicated'): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'session-mesh-migration-'))
    try {
      writeFileSync(join(folder, 'cluster.config.ts'), `export default ${JSON.stringify(this.#members.member(0).config)}`)
      const { stdout } = await promisify(execFile)(process.execPath, [CLI, 'migrate', '--to', to], { cwd: folder })
      this.#tell(`migrate --to ${to}: ${stdout.trim().replaceAll('\n', '; ')}`)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  /** With nobody clicking, the three nodes and Redis hold the same. */
  async agree(): Promise<void> {
    await this.#crowd.rest()
    const redis = await openBackend({ port: this.#redis.port }, { prefix: 'session-mesh' })
    try {
      const all = async (): Promise<readonly string[]> => {
        const nodes = this.#members.members.map((member) => member.ask<string>({ type: 'digest' }))
        return await Promise.all([...nodes, redis.digest()])
      }
      await expect.poll(all, { timeout: 20_000 }).toSatisfy((digests) => new Set(digests).size === 1)
      this.#tell(`digests of three nodes and Redis: ${(await all()).join(' ')}`)
    } finally {
      await redis.close()
    }
    this.#crowd.stroll()
  }

  #tell(what: string): void {
    report(`after ${((performance.now() - this.#startedAt) / 1_000).toFixed(1)} s`, what)
  }
}

test(`${BROWSERS} browsers move to Redis, turn back half way, move, and return`, async () => {
  const redis = await RedisServer.start()
  const members = await Members.start({ size: 3 })
  const crowd = new Crowd({ browsers: BROWSERS, thinkMs: THINK_MS, principals: true })
  const operation = new Operation(members, redis, crowd)
  const tenth = Math.floor(BROWSERS / 50)
  try {
    for (const [node, { port }] of members.members.entries()) crowd.admit(node, port)
    await members.member(0).ask({ type: 'fill', sessions: IDLE, bytes: 64 })
    await crowd.logIn()
    crowd.stroll()

    await operation.roll('both')
    await operation.migrate('redis')
    await operation.agree()
    await operation.roll('redis', [0])
    await crowd.logOut(0, tenth)
    // Second thoughts, with one node on Redis alone.
    await operation.roll('both', [0])
    await operation.roll('replicated')
    await crowd.logOut(tenth, 2 * tenth)
    await operation.roll('both')
    await operation.migrate('redis')
    await operation.agree()
    await operation.roll('redis')
    await crowd.logOut(2 * tenth, 3 * tenth)
    await operation.roll('both')
    await operation.migrate('replicated')
    await operation.agree()
    await operation.roll('replicated')
    await crowd.logOut(3 * tenth, 4 * tenth)
    await crowd.rest()
    await crowd.count()

    const revived = await crowd.revived()
    report('six rolling restarts between memory and Redis under load', { ...crowd.figures(), revived })
    expect({ ...crowd.counts, revived }).toMatchObject({ loggedOut: 0, lost: 0, failed: 0, revived: 0 })
    expect(crowd.counts.requests).toBeGreaterThan(10 * BROWSERS)
  } finally {
    await crowd.rest()
    await members.stop()
    await redis.stop()
  }
})
