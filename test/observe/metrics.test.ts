import { expect, test } from 'vitest'
import { toPrometheus } from '../../src/observe/metrics.js'

test('metrics of one family stand together under their type', () => {
  const text = toPrometheus({
    session_mesh_sessions: 3,
    'session_mesh_refused_total{rule="a"}': 1,
    session_mesh_ready: 1,
    'session_mesh_refused_total{rule="b"}': 2,
  })

  expect(text).toBe(
    [
      '# HELP session_mesh_sessions Sessions held by this node.',
      '# TYPE session_mesh_sessions gauge',
      'session_mesh_sessions 3',
      '# TYPE session_mesh_refused_total counter',
      'session_mesh_refused_total{rule="a"} 1',
      'session_mesh_refused_total{rule="b"} 2',
      '# HELP session_mesh_ready 1 while this node may serve every session.',
      '# TYPE session_mesh_ready gauge',
      'session_mesh_ready 1',
      '',
    ].join('\n'),
  )
})

test('numbers that are none are written as Prometheus reads them', () => {
  expect(toPrometheus({ a: Infinity, b: -Infinity, c: NaN })).toMatch(/a \+Inf\n[^]*b -Inf\n[^]*c NaN\n$/)
})

test('nothing counted is an empty text', () => {
  expect(toPrometheus({})).toBe('')
})
