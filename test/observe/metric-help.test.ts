import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { helpFor, isCounter, METRIC_GROUPS, type MetricGroup } from '../../src/observe/metric-help.js'

const ROOT = join(import.meta.dirname, '../..')

/** Every metric that is named in src/, but for the catalogue itself. */
function namedInSources(): readonly string[] {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  const sources = files.filter((file) => file.endsWith('.ts') && !/metric-(help|name)\.ts$/.test(file))
  const names = sources.flatMap((file) => readFileSync(join(ROOT, 'src', file), 'utf8').match(/\bsession_mesh_[a-z_]*[a-z]\b/g) ?? [])
  return [...new Set(names)].sort()
}

const described = METRIC_GROUPS.flatMap(({ metrics }) => Object.keys(metrics)).sort()

function table({ title, metrics }: MetricGroup): string {
  const rows = Object.entries(metrics).map(([name, help]) => `| \`${name}\` | ${isCounter(name) ? 'counter' : 'gauge'} | ${help} |`)
  return [`## ${title}`, '', '| metric | type | meaning |', '|---|---|---|', ...rows, ''].join('\n')
}

describe('metrics', () => {
  test('are all described, and nothing is that does not exist', () => {
    expect(namedInSources()).toEqual(described)
  })

  test('have one sentence each', () => {
    for (const name of described) expect(helpFor(name)).toMatch(/^[A-Z1].*[^.]\.$/)
  })

  test('of a far backend are described by its own', () => {
    expect(helpFor('session_mesh_far_redis_up')).toBe('Of the far backend: 1 while Redis answers.')
    expect(helpFor('session_mesh_far_waiting')).toBe('Sessions with changes that the far backend does not have yet.')
    expect(helpFor('session_mesh_nothing')).toBeUndefined()
  })

  test.each(METRIC_GROUPS)('in the documentation: $title', (group) => {
    expect(readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8')).toContain(table(group))
  })
})
