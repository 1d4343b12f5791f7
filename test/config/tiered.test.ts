import { describe, expect, it } from 'vitest'
import { resolveConfig, type Environment } from '../../src/config/config.js'
import { ConfigError } from '../../src/errors.js'

const environment = (variables: Record<string, string> = {}): Environment => ({
  variables,
  hostname: 'here',
  now: () => 0,
  readFile: () => {
    throw Object.assign(new Error('none'), { code: 'ENOENT' })
  },
})

const resolve = (backend: object, more: object = {}, variables: Record<string, string> = {}): unknown =>
  resolveConfig({ name: 'shop', backend, ...more }, environment(variables)).backend

const problemsOf = (backend: object, more: object = {}): readonly string[] => {
  try {
    resolve(backend, more)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

const FAR = { type: 'redis', host: 'redis.internal' }

describe('backend tiered', () => {
  it('is replicated memory before Redis where nothing else is said', () => {
    expect(resolve({ type: 'tiered', far: FAR })).toMatchObject({
      type: 'tiered',
      near: { type: 'replicated', acks: { kill: 'all' } },
      far: { type: 'redis', host: 'redis.internal', prefix: 'session-mesh' },
      mode: 'write-behind',
      flushInterval: 100,
      queue: 100_000,
      warmUp: 20_000,
      staleFor: 1_000,
    })
  })

  it('finds its Redis in the environment', () => {
    const resolved = resolve({ type: 'tiered', far: { type: 'redis' } }, {}, { REDIS_URL: 'redis://there:6379' })
    expect(resolved).toMatchObject({ far: { url: 'redis://there:6379' } })
  })

  it.each([
    [{ type: 'tiered' }, 'backend.far'],
    [{ type: 'tiered', far: { type: 'redis' } }, 'backend.far.url'],
    [{ type: 'tiered', far: { type: 'memory' } }, 'backend.far'],
    [{ type: 'tiered', far: { ...FAR, url: 'redis://other' } }, 'backend.far.host'],
    [{ type: 'tiered', far: { ...FAR, prefx: 'a' } }, 'did you mean prefix'],
    [{ type: 'tiered', near: { type: 'redis' }, far: FAR }, 'backend.near'],
    [{ type: 'tiered', far: FAR, mode: 'write-through' }, 'backend.mode'],
    [{ type: 'tiered', far: FAR, flushInterval: '0s' }, 'backend.flushInterval'],
    [{ type: 'tiered', far: { ...FAR, tls: { ca: '/no/such.pem' } } }, 'backend.far.tls.ca'],
  ])('%j is refused, naming %s', (backend, part) => {
    expect(problemsOf(backend).join('\n')).toContain(part)
  })

  it('is refused where each of several nodes would have a truth of its own', () => {
    const backend = { type: 'tiered', near: { type: 'memory' }, far: FAR }
    const peers = ['127.0.0.1:7001', '127.0.0.1:7002']
    expect(problemsOf(backend, { peers }).join()).toContain('backend.near.type')
    expect(problemsOf({ ...backend, mode: 'near-cache' }, { peers })).toEqual([])
    expect(problemsOf(backend)).toEqual([])
  })

  it('needs a secret off loopback where it replicates, and only there', () => {
    const node = { id: 'a', listen: '10.0.0.1:7946' }
    expect(problemsOf({ type: 'tiered', far: FAR }, { node }).join()).toContain('secret')
    expect(problemsOf({ type: 'tiered', near: { type: 'memory' }, far: FAR }, { node })).toEqual([])
  })
})
