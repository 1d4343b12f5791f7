/** Programs that tests run and npm does not bring: installed for root on Debian; nothing is skipped. */
import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface Program {
  /** What is looked for on the PATH, and the name of its package on Debian. */
  readonly name: string
  readonly tests: string
  /** How to get it where it cannot be installed here. */
  readonly otherwise: string
}

/** Exit code 101 keeps Debian from starting the service of a package; tests start their own servers. */
const POLICY = '/usr/sbin/policy-rc.d'

/** Where the program is, installed if need be; throws the line that says how to get it where it cannot be. */
export function ensureInstalled({ name, tests, otherwise }: Program): string {
  const found = onPath(name)
  if (found !== undefined) return found
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
    throw new Error(`${tests} need ${name} on the PATH: ${otherwise}`)
  }
  process.stdout.write(`installing ${name} for ${tests}: apt-get install --no-install-recommends ${name}\n`)
  withoutServices(() => {
    apt('update', '-qq')
    apt('install', '-y', '-qq', '--no-install-recommends', name)
  })
  const installed = onPath(name)
  if (installed === undefined) throw new Error(`${name} was installed and still is not on the PATH`)
  return installed
}

/** The file that a shell would run; undefined when there is none. */
export function onPath(name: string): string | undefined {
  const files = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name))
  return files.find((file) => {
    try {
      accessSync(file, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function withoutServices(install: () => void): void {
  const isOurs = !existsSync(POLICY)
  if (isOurs) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    install()
  } finally {
    if (isOurs) rmSync(POLICY)
  }
}

function apt(...args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  execFileSync('apt-get', [...args], { stdio: ['ignore', 'ignore', 'inherit'], env })
}
