/** What was measured, and on what. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import type { Machine } from './results.js'

const COMPARED = [
  'express',
  'express-session',
  'memorystore',
  'connect-redis',
  'redis',
  'ioredis',
  'ws',
  'msgpackr',
  'undici',
] as const

export function machineOf({ withRedis }: { readonly withRedis: boolean }): Machine {
  const [core] = cpus()
  return {
    cpu: core?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: `${type()} ${release()}`,
    node: process.version,
    redis: withRedis ? redisVersion() : '',
    packages: Object.fromEntries(COMPARED.map(versionOf).filter((pair) => pair !== undefined)),
  }
}

/** Of the checkout that this file was built from; `unknown` in an installed package. */
export function checkout(): { readonly commit: string; readonly dirty: boolean } {
  const cwd = import.meta.dirname
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    const commit = git('rev-parse', '--short', 'HEAD')
    const dirty = git('status', '--porcelain', '--untracked-files=no', ':/src', ':/bench/*.ts', ':/package.json') !== ''
    return { commit, dirty }
  } catch {
    return { commit: 'unknown', dirty: false }
  }
}

/** Whether a package can be loaded from here. */
export function isInstalled(name: string): boolean {
  return versionOf(name) !== undefined
}

export function redisVersion(): string {
  try {
    const text = execFileSync('redis-server', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return /v=(\S+)/.exec(text)?.[1] ?? ''
  } catch {
    return ''
  }
}

/** Not every package exports its package.json, so it is looked for where node would. */
function versionOf(name: string): readonly [name: string, version: string] | undefined {
  const require = createRequire(import.meta.url)
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      const text = readFileSync(join(folder, name, 'package.json'), 'utf8')
      return [name, (JSON.parse(text) as { version: string }).version]
    } catch {
      // Not in this folder.
    }
  }
  return undefined
}
