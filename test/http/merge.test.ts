import { randomBytes } from 'node:crypto'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { ReplicatedBackend } from '../../src/backend/replicated/replicated.js'
import { SeenSealer } from '../../src/backend/replicated/seen.js'
import { AttributeError, ConfigError } from '../../src/errors.js'
import { sessions } from '../../src/http/middleware.js'
import { resolveSessionOptions, type SessionOptions } from '../../src/http/options.js'
import { silent } from '../../src/log.js'
import type { NodeId } from '../../src/session/session.js'
import { LoopbackHub, LoopbackTransport } from '../../src/transport/loopback.js'
import { bare, ids, json, mount, serve, visit, type Client, type Handler } from './support.js'

const MERGE = { visits: 'counter', best: 'max', tags: 'set' } as const
const counted = (): ReturnType<typeof mount> => mount({ merge: MERGE })

describe('an attribute that merges', () => {
  it('is a plain number or Set to the application', async () => {
    await visit(
      counted(),
      ({ session }) => {
        session['visits'] = Number(session['visits'] ?? 0) + 1
        session['best'] = 10
        session['tags'] = new Set(['a'])
      },
      ({ session }) => {
        expect(session.toObject()).toEqual({ visits: 1, best: 10, tags: new Set(['a']) })
        session['visits'] = Number(session['visits']) + 1
        session['best'] = 4
      },
      ({ session }) => expect(session.toObject()).toEqual({ visits: 2, best: 10, tags: new Set(['a']) }),
    )
  })

  it('is found changed in place, and what was only read is not written', async () => {
    const mounted = counted()
    await visit(
      mounted,
      ({ session }) => void (session['tags'] = new Set<unknown>(['a', { n: 1 }])),
      ({ session }) => void (session['tags'] as Set<unknown>).add('b').delete('a'),
      ({ session }) => expect(session['tags']).toEqual(new Set<unknown>(['b', { n: 1 }])),
    )
    expect(mounted.counter('commits_total')).toBe(2)
  })

  it('is not written by assigning what it is already', async () => {
    const mounted = counted()
    await visit(
      mounted,
      ({ session }) => void Object.assign(session, { visits: 3, best: 3, tags: new Set(['a']) }),
      ({ session }) => void Object.assign(session, { visits: 3, best: 3, tags: new Set(['a']) }),
      ({ session }) => void Object.assign(session, { best: 2 }),
    )
    expect(mounted.counter('commits_total')).toBe(1)
  })

  it('holds elements that are kept as the same bytes once', async () => {
    await visit(
      counted(),
      ({ session }) => void (session['tags'] = new Set([{ n: 1 }, { n: 1 }, { n: 2 }])),
      ({ session }) => expect(session['tags']).toEqual(new Set([{ n: 1 }, { n: 2 }])),
    )
  })

  it('counts what several commits of one request add, once each', async () => {
    await visit(
      counted(),
      async ({ session }) => {
        session['visits'] = 1
        await session.commit()
        session['visits'] = 3
        session['tags'] = new Set(['a'])
        await session.commit()
        ;(session['tags'] as Set<string>).add('b')
      },
      ({ session }) => expect(session.toObject()).toEqual({ visits: 3, tags: new Set(['a', 'b']) }),
    )
  })

  it('starts anew when it was deleted', async () => {
    await visit(
      counted(),
      ({ session }) => void Object.assign(session, { visits: 7, best: 7, tags: new Set([7]) }),
      ({ session }) => {
        for (const name of ['visits', 'best', 'tags']) delete session[name]
      },
      ({ session }) => {
        expect(session.toObject()).toEqual({})
        Object.assign(session, { visits: 1, best: 1, tags: new Set([1]) })
      },
      ({ session }) => expect(session.toObject()).toEqual({ visits: 1, best: 1, tags: new Set([1]) }),
    )
  })

  it('refuses at once what cannot merge, by name', async () => {
    const wrong: Readonly<Record<string, readonly unknown[]>> = {
      visits: ['1', null, Number.NaN, Infinity, 2 ** 53, 1n, new Set()],
      best: ['1', Number.NaN, -Infinity, {}],
      tags: [['a'], 'a', 1, new Map()],
    }
    await visit(counted(), ({ session }) => {
      for (const [name, values] of Object.entries(wrong)) {
        for (const value of values) {
          const assign = (): void => void (session[name] = value)
          expect(assign).toThrow(AttributeError)
          expect(assign).toThrow(new RegExp(`session\\.${name} cannot be kept: it merges as`))
        }
      }
      expect(session.toObject()).toEqual({})
    })
  })

  it('names the element that a set cannot keep', async () => {
    await visit(counted(), async ({ session }) => {
      session['tags'] = new Set([1, { a: () => 1 }])
      await expect(session.commit()).rejects.toThrow(/session\.tags\[1\]\.a cannot be kept/)
      delete session['tags']
    })
  })

  it('goes on from what was kept before it was configured', async () => {
    const before = mount()
    const after = sessions(before.backend, resolveSessionOptions({ merge: MERGE }), { now: before.clock.now, log: silent })
    const steps: Handler[] = [
      ({ session }) => void Object.assign(session, { visits: 5, best: 5, tags: ['a', 'b'] }),
      ({ session }) => {
        expect(session['tags']).toEqual(new Set(['a', 'b']))
        session['visits'] = Number(session['visits']) + 1
        session['best'] = 6
        ;(session['tags'] as Set<string>).add('c').delete('a')
      },
      ({ session }) => expect(session.toObject()).toEqual({ visits: 6, best: 6, tags: new Set(['b', 'c']) }),
    ]
    const old = await visit(before, ...steps.slice(0, 1))
    await visit({ ...before, middleware: ((req, res, next) => {
      req.headers.cookie = `sid=${old.jar.get('sid')}`
      after(req, res, next)
    }) as typeof after }, ...steps.slice(1))
  })

  it('counts towards the limits by the value it has', async () => {
    const mounted = mount({ merge: MERGE, limits: { bytes: 200 } })
    await visit(mounted, async ({ session }) => {
      session['tags'] = new Set(Array.from({ length: 20 }, (_, i) => `element ${i}`))
      await expect(session.commit()).rejects.toThrow(/would take \d+ bytes, at most 200/)
      delete session['tags']
    })
  })

  it('takes along only what this request wrote when the session ended meanwhile', async () => {
    const mounted = mount({ merge: MERGE, onGone: 'restart' })
    await visit(
      mounted,
      ({ session }) => void Object.assign(session, { visits: 5, tags: new Set(['a']) }),
      async ({ session }) => {
        session['visits'] = Number(session['visits']) + 1
        ;(session['tags'] as Set<string>).add('b')
        for await (const { birth } of mounted.backend.exportAll()) await mounted.backend.destroy(birth, 'destroyed', {})
        await session.commit()
        expect(session.toObject()).toEqual({ visits: 1, tags: new Set(['b']) })
        session['visits'] = Number(session['visits']) + 1
      },
      ({ session }) => expect(session.toObject()).toEqual({ visits: 2, tags: new Set(['b']) }),
    )
  })
})

describe('configuring what merges', () => {
  const problemsOf = (merge: unknown): readonly string[] => {
    try {
      resolveSessionOptions({ merge } as SessionOptions)
    } catch (error) {
      return error instanceof ConfigError ? error.problems : [String(error)]
    }
    return []
  }

  it('takes every kind, and names what is wrong', () => {
    expect(problemsOf({ a: 'lww', b: 'counter', c: 'max', d: 'set' })).toEqual([])
    expect(problemsOf({ a: 'countr', cookie: 'set', '': 'max', toString: 1 })).toEqual([
      'merge.a: unknown kind (expected one of "lww", "counter", "max", "set")',
      'merge.cookie: no name that an attribute can have (expected the name of an attribute)',
      'merge.: no name that an attribute can have (expected the name of an attribute)',
      'merge.toString: unknown kind (expected one of "lww", "counter", "max", "set")',
    ])
  })

  it('is refused on a backend that does not merge', () => {
    const mounting = (): unknown =>
      mount({ merge: MERGE }, (memory) => new Proxy(memory, {
        get: (target, name) => (name === 'powers' ? { ...target.powers, merges: false } : Reflect.get(target, name)),
      }))
    expect(mounting).toThrow(/the memory backend does not merge attributes/)
  })
})

/** Two nodes in this process, each behind an HTTP server of its own. */
async function twoNodes(handler: Handler): Promise<readonly Client[]> {
  const hub = new LoopbackHub()
  const addresses = [hub.freeAddress(), hub.freeAddress()]
  const options = resolveSessionOptions({ merge: MERGE })
  const backends = addresses.map((address, i) => {
    const peers = addresses.filter((other) => other !== address)
    const member = { node: `node-${i}` as NodeId, actor: 7_000 + i, startedAt: Date.now() }
    const hello = { ...member, cluster: 'merge', settings: {} }
    const transport = new LoopbackTransport({ hub, hello, address, peers, now: Date.now, randomBytes, log: silent })
    const seals = new SeenSealer(['0123456789abcdef0123456789abcdef'])
    return new ReplicatedBackend({ ...member, transport, peers, ids, seals, now: Date.now, log: silent })
  })
  onTestFinished(async () => void (await Promise.all(backends.map((backend) => backend.close()))))
  await Promise.all(backends.map((backend) => backend.open()))
  await Promise.all(backends.map((backend) => backend.ready()))
  return await Promise.all(
    backends.map((backend) => serve(bare(sessions(backend, options, { now: Date.now, log: silent }), handler))),
  )
}

it('five hundred parallel requests to two nodes all count', async () => {
  const handler: Handler = ({ session, url }, res) => {
    const n = new URL(url ?? '/', 'http://x').searchParams.get('n')
    if (n === null) return json(res, { ...session.toObject(), tags: [...((session['tags'] as Set<string>) ?? [])].length })
    session['visits'] = Number(session['visits'] ?? 0) + 1
    session['best'] = Math.max(Number(session['best'] ?? 0), Number(n))
    session['tags'] ??= new Set()
    ;(session['tags'] as Set<string>).add(`tag ${n}`)
    return void res.end('ok')
  }
  const nodes = await twoNodes(handler)
  const [first] = nodes
  if (first === undefined) throw new Error('no node')
  await first.get('/?n=0')
  const cookie = [...first.jar].map(([name, value]) => `${name}=${value}`).join('; ')

  const requests = Array.from({ length: 500 }, (_, i) => (nodes[i % 2] ?? first).send({ path: `/?n=${i}`, cookie }))
  for (const answer of await Promise.all(requests)) expect(answer).toMatchObject({ status: 200, body: 'ok' })

  const expected = JSON.stringify({ best: 499, tags: 500, visits: 501 })
  for (const node of nodes) {
    await vi.waitFor(async () => expect((await node.send({ path: '/', cookie })).body).toBe(expected), { interval: 5 })
  }
})
