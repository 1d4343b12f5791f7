import { expect, test } from 'vitest'
import { metricName } from '../src/metric-name.js'

test('a label holds whatever a name may hold', () => {
  expect(metricName('a_total', 'peer', 'node-1')).toBe('a_total{peer="node-1"}')
  expect(metricName('a_total', 'peer', 'a "b" \\ c\nd')).toBe('a_total{peer="a \\"b\\" \\\\ c\\nd"}')
})
