/**
 * What the tests of the Redis backend need before they start: redis-server on the PATH. As root on Debian it is
 * installed; elsewhere the run fails with the line that says how to get it. Nothing is skipped.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'

/** Exit code 101 keeps Debian from starting the service of a package it installs; tests start their own servers. */
const POLICY = '/usr/sbin/policy-rc.d'

export function setup(): void {
  if (isInstalled()) return
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
    throw new Error('the Redis tests need redis-server on the PATH: apt-get install redis-server, or brew install redis')
  }
  process.stdout.write('installing redis-server for the Redis tests: apt-get install --no-install-recommends redis-server\n')
  const isOurs = !existsSync(POLICY)
  if (isOurs) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    execFileSync('apt-get', ['update', '-qq'], { stdio: ['ignore', 'ignore', 'inherit'], env })
    const install = ['install', '-y', '-qq', '--no-install-recommends', 'redis-server']
    execFileSync('apt-get', install, { stdio: ['ignore', 'ignore', 'inherit'], env })
  } finally {
    if (isOurs) rmSync(POLICY)
  }
  if (!isInstalled()) throw new Error('redis-server was installed and still is not on the PATH')
}

function isInstalled(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0
}
