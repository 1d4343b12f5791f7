import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..', '..')
const VITEST = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs')

test('a run of tests that all pass fails when one of its processes wrote down what nobody may see', () => {
  const config = join(import.meta.dirname, 'planted', 'vitest.config.ts')

  const { status, stdout, stderr } = spawnSync(process.execPath, [VITEST, 'run', '--config', config, '--no-color'], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  })

  const leaks = [...stderr.matchAll(/LEAK {4}(.+) in (?:an|the) (\w+) of \S+ ?(.*)\n +(.*)/g)]
  expect(stdout).toMatch(/Tests {2}6 passed/)
  expect(stdout).toMatch(/Canary {2}\d+ leaks: \d+ texts searched for 1 secrets/)
  expect(leaks.map(([, what, kind, where]) => `${what} | ${kind} | ${where}`).sort()).toEqual([
    'attribute value | answer | › a value in an answer that says what failed',
    'part of a session id | output | (process of a text)',
    'secret | error | › a secret in an error that is caught',
    'session id | log | › an id in a log that nobody reads',
    'session id | output | (process of a text)',
  ])
  expect(status).toBe(1)
  // The report is read by more people than the tests: what leaked is not in it.
  expect(stdout + stderr).not.toMatch(/[A-Za-z0-9_-]{48}|planted-W8cJ|CanaryValue/)
})
