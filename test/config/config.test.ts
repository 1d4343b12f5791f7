import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { resolveConfig, resolveSession, type Environment, type ResolvedConfig } from '../../src/config/config.js'
import { SAMPLE_SECRETS } from '../../src/config/schema.js'
import { ConfigError } from '../../src/errors.js'

const SECRET = 'b0Q1hZk6s2vYx8uJ3nWc7mEa5tRd9pLf'
const OTHER_SECRET = 'Kf4Xq7Vw1zNs6Cj9Gt2By5Hu8Mp3Ld0R'

function environment(variables: Environment['variables'] = {}): Environment {
  return {
    variables,
    hostname: 'host-1',
    now: () => 0,
    readFile: (path) => {
      throw Object.assign(new Error(path), { code: 'ENOENT' })
    },
  }
}

function resolved(input: object, variables?: Environment['variables']): ResolvedConfig {
  return resolveConfig({ name: 'shop', ...input }, environment(variables))
}

function problemsOf(input: unknown, variables?: Environment['variables']): readonly string[] {
  try {
    resolveConfig(input, environment(variables))
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

const problemsWith = (input: object, variables?: Environment['variables']): readonly string[] => {
  return problemsOf({ name: 'shop', ...input }, variables)
}

const events = (config: ResolvedConfig): readonly string[] => config.notes.map((note) => note.event)

describe('what is left out', () => {
  test('a name is enough', () => {
    const config = resolved({})

    expect(config).toMatchObject({
      name: 'shop',
      node: { id: 'host-1', listen: '127.0.0.1:7946' },
      peers: [],
      secrets: [],
      backend: {
        type: 'replicated',
        bootstrapTimeout: 3_000,
        stamps: { wait: 1_000, onStale: 'serve', onLost: 'accept' },
        acks: { write: 'async', kill: 'all', rotate: 'all', within: 250 },
      },
      limits: { sessions: 1_000_000, sessionBytes: 65_536, attributes: 1_024 },
      session: {
        ttl: 1_800_000,
        maxLifetime: Infinity,
        cookie: { name: 'sid' },
        limits: { bytes: 65_536, attributes: 1_024 },
      },
    })
    expect(events(config)).toEqual(['no-secret', 'no-peers'])
  })

  test('an option that is undefined counts as left out', () => {
    const config = resolved({ secret: undefined, node: { id: 'a', advertise: undefined }, session: { ttl: undefined } })

    expect(config).toMatchObject({ secrets: [], node: { id: 'a' }, session: { ttl: 1_800_000 } })
  })

  test('the environment fills in what the configuration leaves out, and nothing else', () => {
    const variables = {
      SESSION_MESH_NODE: 'b',
      SESSION_MESH_LISTEN: '127.0.0.1:7947',
      SESSION_MESH_ADVERTISE: '127.0.0.2:7947',
      SESSION_MESH_PEERS: '127.0.0.1:7946, 127.0.0.1:7947,',
      SESSION_MESH_SECRET: SECRET,
    }

    expect(resolved({}, variables)).toMatchObject({
      node: { id: 'b', listen: '127.0.0.1:7947', advertise: '127.0.0.2:7947' },
      peers: ['127.0.0.1:7946'],
      secrets: [SECRET],
    })
    expect(resolved({ node: { id: 'a' }, peers: ['127.0.0.1:1'] }, variables)).toMatchObject({
      node: { id: 'a', listen: '127.0.0.1:7947' },
      peers: ['127.0.0.1:1'],
    })
  })

  test('flags win over the configuration', () => {
    const config = resolveConfig(
      { name: 'shop', node: { id: 'a', listen: '127.0.0.1:1' }, peers: ['127.0.0.1:1'] },
      environment(),
      { node: '007', listen: '127.0.0.1:2', peers: '127.0.0.1:2,127.0.0.1:3' },
    )

    expect(config).toMatchObject({ node: { id: '007', listen: '127.0.0.1:2' }, peers: ['127.0.0.1:3'] })
  })

  test('this node is taken out of the list of peers that all nodes share', () => {
    const config = resolved({ node: { listen: '127.0.0.1:2' }, peers: ['127.0.0.1:1', '127.0.0.1:2', '127.0.0.1:3'] })

    expect(config.peers).toEqual(['127.0.0.1:1', '127.0.0.1:3'])
    expect(events(config)).toContain('own-address-in-peers')
  })

  test('durations are texts or milliseconds', () => {
    const { session } = resolved({ session: { ttl: '2h', maxLifetime: Infinity, touchAfter: 500, cookie: { maxAge: '7d' } } })

    expect(session).toMatchObject({
      ttl: 7_200_000,
      maxLifetime: Infinity,
      touchAfter: 500,
      cookie: { maxAge: 604_800_000 },
    })
  })

  test('one secret or several', () => {
    expect(resolved({ secret: SECRET }).secrets).toEqual([SECRET])
    expect(resolved({ secret: [SECRET, OTHER_SECRET] }).secrets).toEqual([SECRET, OTHER_SECRET])
  })
})

describe('mistakes', () => {
  test('are told all at once, one line each', () => {
    const problems = problemsOf({
      nam: 'shop',
      node: { id: '', listen: '0.0.0.0:7946', advertize: 1 },
      peers: ['10.0.0.1:1', '10.0.0.1:1', 'http://user:hunter2@x', 7],
      backend: { type: 'redsi' },
      limits: { sessions: 1.5 },
      session: { ttl: '1y', cookie: { sameSite: 'none' } },
    })

    expect(problems.map((line) => line.slice(0, line.indexOf(':')))).toEqual([
      'name', 'node.id', 'node.advertize', 'peers[2]', 'peers[3]', 'backend.type', 'limits.sessions', 'session.ttl',
      'session.cookie.secure', 'nam', 'secret', 'peers[1]',
    ])
    expect(problems.join('\n')).not.toContain('hunter2')
    for (const line of problems) expect(line).toMatch(/^[\w.[\]]+: .+ \((got .+, )?expected .+\)/)
  })

  const DIAL = "host:port that other nodes can dial, such as '10.0.0.5:7946'"
  const LISTEN = "host:port to listen on, such as '127.0.0.1:7946' (port 0: any free one)"
  const TTL = "milliseconds or a text such as '30m', from 1ms to 3650d, or Infinity"
  const SECRETS = 'a text of at least 32 bytes, or a list of them'
  const NO_DOMAIN = 'a cookie named __Host-… has no domain (RFC 6265bis 4.1.3.2)'
  const ROOT_PATH = 'a cookie named __Host-… has the path / (RFC 6265bis 4.1.3.2)'
  const NO_TOUCH = 'not shorter than session.ttl (30s), so an active session would expire'
  const hostCookie = (more: object): object => ({ session: { cookie: { name: '__Host-x', secure: true, ...more } } })

  test.each<readonly [rule: string, input: object, problem: string, got: string, expected: string]>([
    ['C3', { peers: {} }, 'peers: wrong type', '{}', 'an array'],
    ['C3', { node: 'a' }, 'node: wrong type', '"a"', 'an object'],
    ['C3', { limits: { sessions: '8' } }, 'limits.sessions: wrong type', '"8"', 'a whole number from 1 to 100000000'],
    ['C3', { session: { load: 'x' } }, 'session.load: unknown value', '"x"', 'one of "eager", "on-demand"'],
    ['C3', { session: { rolling: 'yes' } }, 'session.rolling: wrong type', '"yes"', 'true or false'],
    ['C3', { session: { when: true } }, 'session.when: wrong type', 'true', 'a function (req) => boolean'],
    ['C4', { node: { listen: '127.0.0.1:-1' } }, 'node.listen: not an address', '"127.0.0.1:-1"', LISTEN],
    ['C4', { node: { listen: '127.0.0.1:70000' } }, 'node.listen: not an address', '"127.0.0.1:70000"', LISTEN],
    ['C4', { node: { listen: '127.0.0.1:1.5' } }, 'node.listen: not an address', '"127.0.0.1:1.5"', LISTEN],
    ['C4', { node: { listen: 7946 } }, 'node.listen: wrong type', '7946', LISTEN],
    ['C4', { peers: ['127.0.0.1:0'] }, 'peers[0]: not allowed here', '"127.0.0.1:0"', DIAL],
    ['C8', { node: { advertise: '0.0.0.0:1' } }, 'node.advertise: not allowed here', '"0.0.0.0:1"', DIAL],
    ['C5', { session: { ttl: 0 } }, 'session.ttl: out of range', '0', TTL],
    ['C5', { session: { ttl: -1 } }, 'session.ttl: out of range', '-1', TTL],
    ['C5', { session: { ttl: 1e12 } }, 'session.ttl: out of range', '1000000000000', TTL],
    ['C5', { session: { ttl: NaN } }, 'session.ttl: not a duration', 'NaN', TTL],
    ['C7', { secret: 'short' }, 'secret: too short', 'a text of 5 bytes', SECRETS],
    ['C7', { secret: SECRET.slice(1) }, 'secret: too short', 'a text of 31 bytes', SECRETS],
    ['C7', { secret: [] }, 'secret: an empty list', 'a list of 0', SECRETS],
    ['C7', { secret: [SECRET, SECRET] }, 'secret: the same secret twice', 'a list of 2', SECRETS],
    ['C7', { secret: 5 }, 'secret: wrong type', 'a value of type number', SECRETS],
    ['C9', { peers: ['http://a:1'] }, 'peers[0]: a URL instead of host:port', '"http://a:1"', DIAL],
    ['C9', { peers: ['127.0.0.1:1', '127.0.0.1:1'] }, 'peers[1]: the same as peers[0]', '"127.0.0.1:1"', 'each node once'],
    ['C11', { backend: { type: 'redsi' } }, 'backend.type: unknown type', '"redsi"', 'one of replicated, memory, redis, tiered, did you mean redis?'],
    [
      'C11',
      { backend: { type: 'replicatd' } },
      'backend.type: unknown type',
      '"replicatd"',
      'one of replicated, memory, redis, tiered, did you mean replicated?',
    ],
    ['C11', { backend: {} }, 'backend.type: missing', 'nothing', 'one of replicated, memory, redis, tiered'],
    ['C12', hostCookie({ domain: 'a.b' }), `session.cookie.domain: ${NO_DOMAIN}`, '"a.b"', 'no domain'],
    ['C12', hostCookie({ path: '/app' }), `session.cookie.path: ${ROOT_PATH}`, '"/app"', "'/'"],
    [
      'C12',
      { session: { cookie: { sameSite: 'none' } } },
      'session.cookie.secure: browsers refuse SameSite=None without Secure',
      'nothing',
      'true',
    ],
    [
      'a lifetime shorter than the idle one',
      { session: { ttl: '30m', maxLifetime: '10m' } },
      'session.maxLifetime: shorter than session.ttl (30m)',
      '"10m"',
      'at least session.ttl',
    ],
    [
      'touching too rarely',
      { session: { ttl: '30s', touchAfter: '1m' } },
      `session.touchAfter: ${NO_TOUCH}`,
      '"1m"',
      'less than session.ttl',
    ],
    [
      'one port for two',
      { node: { listen: '127.0.0.1:1' }, admin: { listen: '127.0.0.1:1' } },
      'admin.listen: the same as node.listen',
      '"127.0.0.1:1"',
      'a port of its own',
    ],
    [
      'an admin server that others reach',
      { admin: { listen: '0.0.0.0:80' } },
      'admin.listen: not allowed here',
      '"0.0.0.0:80"',
      "a loopback host:port, such as '127.0.0.1:7980'",
    ],
  ])('%s: %j', (_rule, input, problem, got, expected) => {
    expect(problemsWith(input)).toEqual([`${problem} (got ${got}, expected ${expected})`])
  })

  test('C2: an unknown option is told with those that exist and the nearest one', () => {
    expect(problemsWith({ limits: { sesions: 1 }, backend: { type: 'memory', acks: {} } })).toEqual([
      'backend.acks: unknown option (expected one of type)',
      'limits.sesions: unknown option (expected one of sessions, sessionBytes, attributes, did you mean sessions?)',
    ])
  })

  test.each([
    [null, 'wrong type (got null, expected an object)'],
    ['shop', 'wrong type (got "shop", expected an object)'],
    [[], 'wrong type (got [], expected an object)'],
    [undefined, 'missing (got nothing, expected an object)'],
  ])('%j is no configuration', (input, problem) => {
    expect(problemsOf(input)).toEqual([`configuration: ${problem}`])
  })

  test('a value from the environment is told with the name of its variable', () => {
    expect(problemsWith({}, { SESSION_MESH_PEERS: '127.0.0.1:1,x', SESSION_MESH_SECRET: 'short' })).toEqual([
      `peers[1]: not an address (got "x", expected ${DIAL}); from SESSION_MESH_PEERS`,
      `secret: too short (got a text of 5 bytes, expected ${SECRETS}); from SESSION_MESH_SECRET`,
    ])
  })

  test('no secret appears in any message', () => {
    const lines = problemsWith({
      secret: ['hunter2', SECRET],
      tls: { key: '-----BEGIN PRIVATE KEY----- hunter2', cert: 5 },
      unknown: { secret: 'hunter2' },
      node: { id: { secret: 'hunter2' } },
    })

    expect(lines.length).toBeGreaterThan(3)
    expect(lines.join('\n')).not.toMatch(new RegExp(`hunter2|${SECRET}`))
  })

  test('a sample from the documentation is no secret', () => {
    for (const secret of SAMPLE_SECRETS) {
      expect(problemsWith({ secret })[0]).toContain('secret: a sample from the documentation')
    }
  })
})

describe('off loopback', () => {
  test.each([
    [{ node: { listen: '0.0.0.0:7946', advertise: '127.0.0.1:7946' } }, 'node.listen (0.0.0.0:7946)'],
    [{ node: { listen: '10.0.0.1:7946' } }, 'node.listen (10.0.0.1:7946)'],
    [{ node: { advertise: 'node-a.internal:7946' } }, 'node.advertise (node-a.internal:7946)'],
    [{ peers: ['127.0.0.1:1', '[fd00::1]:7946'] }, 'peers[1] ([fd00::1]:7946)'],
  ])('%j needs a secret or TLS', (input, named) => {
    const [line = '', ...more] = problemsWith(input)

    expect(line).toContain(`secret: missing, and ${named} is not loopback`)
    expect(line).toContain('openssl rand -base64 32')
    expect(more).toEqual([])
    expect(problemsWith({ ...input, secret: SECRET })).toEqual([])
  })

  test('mutual TLS stands in for a secret, once its files are in order', () => {
    const files = join(import.meta.dirname, 'tls')
    const readFile = (path: string): string => readFileSync(join(files, path), 'utf8')
    const tls = { key: 'key.pem', cert: 'cert.pem', ca: 'cert.pem' }
    const input = { name: 'shop', node: { listen: '10.0.0.1:7946' }, tls }

    expect(resolveConfig(input, { ...environment(), readFile }).tls?.key).toContain('BEGIN PRIVATE KEY')
    expect(problemsOf(input)).toEqual([
      'tls.key: cannot be read (ENOENT) (got a text of 7 bytes, expected a readable PEM file)',
      'tls.cert: cannot be read (ENOENT) (got "cert.pem", expected a readable PEM file)',
      'tls.ca: cannot be read (ENOENT) (got "cert.pem", expected a readable PEM file)',
    ])
  })

  test('the memory backend listens nowhere, so it needs none', () => {
    expect(problemsWith({ backend: { type: 'memory' }, node: { listen: '0.0.0.0:1' } })).toEqual([])
  })

  test('listening everywhere without an address to be reached at is worth a warning', () => {
    const eventsOf = (node: object): readonly string[] => events(resolved({ secret: SECRET, node }))

    expect(eventsOf({ listen: '0.0.0.0:7946' })).toContain('no-advertise')
    expect(eventsOf({ listen: '0.0.0.0:7946', advertise: '10.0.0.1:7946' })).not.toContain('no-advertise')
  })
})

test('a cookie that no browser keeps so long is lowered to 400 days with a warning', () => {
  const config = resolved({ session: { cookie: { maxAge: '500d' } } })

  expect(config.session.cookie.maxAge).toBe(400 * 86_400_000)
  expect(events(config)).toContain('cookie-age')
})

test('options of one mount are checked and completed like those of the configuration', () => {
  const { limits } = resolved({ limits: { sessionBytes: 2_048 } })

  const session = resolveSession({ load: 'on-demand', ttl: '1h' }, limits)

  expect(session).toMatchObject({ load: 'on-demand', ttl: 3_600_000, limits: { bytes: 2_048 } })
  expect(() => resolveSession({ laod: 'eager' }, limits)).toThrow(/laod: unknown option .* did you mean load\?/)
})

describe('attributes that merge', () => {
  test('are told by kind, and a mount adds to them', () => {
    const merge = { visits: 'counter', best: 'max', tags: 'set', user: 'lww' } as const

    const { session } = resolved({ session: { merge } })

    expect([...session.merge]).toEqual([['visits', 'counter'], ['best', 'max'], ['tags', 'set']])
  })

  test('are refused one by one, with what was found and what would do', () => {
    const merge = { visits: 'countr', id: 'max', tags: 'set' }

    expect(problemsWith({ session: { merge } })).toEqual([
      'session.merge.visits: unknown kind (got "countr", expected one of "lww", "counter", "max", "set")',
      'session.merge.id: no name that an attribute can have (got "max", expected the name of an attribute)',
    ])
    expect(problemsWith({ session: { merge: ['visits'] } })).toEqual([
      expect.stringMatching(/^session\.merge: wrong type \(got .*, expected kinds by attribute, such as \{ visits: 'counter' \}\)$/),
    ])
  })
})
