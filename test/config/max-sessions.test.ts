import { describe, expect, test } from 'vitest'
import { resolveConfig, type Environment, type ResolvedConfig } from '../../src/config/config.js'
import { ConfigError } from '../../src/errors.js'

const environment: Environment = { variables: {}, hostname: 'host', now: () => 0, readFile: () => '' }

function resolve(options: object): ResolvedConfig {
  return resolveConfig({ name: 'shop', ...options }, environment)
}

function problemsOf(options: object): readonly string[] {
  try {
    resolve(options)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

describe('maxSessions and debug', () => {
  test('are off where nothing is said', () => {
    const config = resolve({})

    expect(config.maxSessions).toBeUndefined()
    expect(config.debug).toEqual({ creationStacks: false })
  })

  test('end the oldest session unless told otherwise', () => {
    expect(resolve({ maxSessions: { perPrincipal: 3 } }).maxSessions).toEqual({ perPrincipal: 3, policy: 'oldest-out' })
    expect(resolve({ maxSessions: { perPrincipal: 1, policy: 'refuse' } }).maxSessions?.policy).toBe('refuse')
  })

  test.each([
    [{ maxSessions: {} }, 'maxSessions.perPrincipal'],
    [{ maxSessions: { perPrincipal: 0 } }, 'maxSessions.perPrincipal'],
    [{ maxSessions: { perPrincipal: 2, policy: 'newest-out' } }, 'maxSessions.policy'],
    [{ maxSessions: { perPrincipal: 2, perUser: 1 } }, 'maxSessions.perUser'],
    [{ debug: { creationStacks: 'yes' } }, 'debug.creationStacks'],
  ])('%j is refused with one line that names %s', (options, key) => {
    const problems = problemsOf(options)

    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(`${key}: `)
  })
})
