import { describe, expect, test } from 'vitest'
import { resolveConfig, type ResolvedConfig } from '../../src/config/config.js'
import { ConfigError } from '../../src/errors.js'

const PEM = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n'

function resolved(backend: object, variables: Readonly<Record<string, string>> = {}): ResolvedConfig {
  const readFile = (path: string): string => {
    if (path === 'ca.pem') return PEM
    throw Object.assign(new Error(path), { code: 'ENOENT' })
  }
  const environment = { variables, hostname: 'host-1', now: () => 0, readFile }
  return resolveConfig({ name: 'shop', backend: { type: 'redis', ...backend } }, environment)
}

function problemsOf(backend: object, variables?: Readonly<Record<string, string>>): readonly string[] {
  try {
    resolved(backend, variables)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

describe('where Redis is', () => {
  test('a URL is enough, and needs neither peers nor a secret', () => {
    const config = resolved({ url: 'redis://10.0.0.5:6379/3' })

    expect(config.backend).toEqual({
      type: 'redis',
      url: 'redis://10.0.0.5:6379/3',
      prefix: 'session-mesh',
      readFrom: 'primary',
      timeout: 1_000,
      onUnreachable: 'fail',
      json: false,
    })
    expect(config.notes).toEqual([])
  })

  test('the environment says where when the configuration does not', () => {
    const variables = { REDIS_URL: 'redis://redis:6379' }
    expect(resolved({}, variables).backend).toMatchObject({ url: 'redis://redis:6379' })
    expect(resolved({ host: 'other' }, variables).backend).not.toHaveProperty('url')
    expect(resolved({ sentinels: ['s1:26379'] }, variables).backend).not.toHaveProperty('url')
    expect(problemsOf({}, { REDIS_URL: 'http://redis' })).toEqual([
      expect.stringMatching(/^backend\.url: not a Redis URL \(got "http:\/\/redis".*; from REDIS_URL$/),
    ])
  })

  test('nowhere, twice and a wrong place are told', () => {
    expect(problemsOf({})).toEqual([expect.stringMatching(/^backend\.url: missing .*REDIS_URL/)])
    expect(problemsOf({ url: 'redis://a', cluster: ['b:1'] })).toEqual([
      expect.stringMatching(/^backend\.cluster: cannot stand beside backend\.url/),
    ])
    expect(problemsOf({ url: '6379' })).toEqual([expect.stringMatching(/^backend\.url: not a URL \(got "6379"/)])
    expect(problemsOf({ cluster: ['a:1'], db: 2 })).toEqual([expect.stringMatching(/^backend\.db: a Redis Cluster has/)])
    expect(problemsOf({ host: 'a', prt: 1 })).toEqual([expect.stringMatching(/did you mean port\?/)])
  })

  test('a password is never shown', () => {
    const [line = ''] = problemsOf({ url: 'http://me:hunter2@host', password: 'hunter2' })
    expect(line).toMatch(/not a Redis URL/)
    expect(line).not.toContain('hunter2')
  })

  test('TLS takes texts and paths', () => {
    const { backend } = resolved({ host: 'a', tls: { ca: 'ca.pem', cert: PEM, key: PEM } })
    expect(backend).toMatchObject({ tls: { ca: PEM, cert: PEM, key: PEM } })
    expect(problemsOf({ host: 'a', tls: { ca: 'gone.pem' } })).toEqual([
      expect.stringMatching(/^backend\.tls\.ca: cannot be read \(ENOENT\)/),
    ])
    expect(problemsOf({ host: 'a', tls: 'yes' })).toEqual([expect.stringMatching(/^backend\.tls: wrong type/)])
  })
})
