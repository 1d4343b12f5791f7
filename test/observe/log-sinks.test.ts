import { expect, test } from 'vitest'
import type { Log } from '../../src/log.js'
import { lineLog, openLog } from '../../src/observe/log-sinks.js'

function linesOf(use: (log: Log) => void): readonly string[] {
  const lines: string[] = []
  use(lineLog((line) => lines.push(line)))
  return lines
}

test('warnings and errors are lines, the rest is silent', () => {
  const lines = linesOf((log) => {
    log('debug', 'nothing')
    log('info', 'nothing')
    log('warn', 'peer-down', { peer: '127.0.0.1:7947', reason: 'no answer', tries: 3, last: true })
    log('error', 'stopped')
  })

  expect(lines).toEqual([
    'session-mesh warn peer-down peer=127.0.0.1:7947 reason="no answer" tries=3 last=true\n',
    'session-mesh error stopped\n',
  ])
})

test('a field cannot forge a line or another field', () => {
  const [line = ''] = linesOf((log) => log('warn', 'x', { a: 'b\nsession-mesh error forged', c: '', d: 'e="f"' }))

  expect(line).toBe('session-mesh warn x a="b\\nsession-mesh error forged" c="" d="e=\\"f\\""\n')
})

test('a logger gets the fields and the event as its message', () => {
  const calls: unknown[] = []
  const collect = (level: string) => (fields: object, message: string) => calls.push([level, fields, message])
  const logger = { debug: collect('debug'), info: collect('info'), warn: collect('warn'), error: collect('error') }

  openLog(logger, () => {})('info', 'ready', { peers: 2 })

  expect(calls).toEqual([['info', { peers: 2, event: 'ready' }, 'ready']])
})

test('a log that throws stops nothing', () => {
  const told: unknown[] = []
  const broken: Log = () => {
    throw new Error('disk full')
  }

  openLog(broken, (...event) => told.push(event))('warn', 'peer-down')

  expect(told).toEqual([['error', 'log-failed', { event: 'peer-down', error: 'disk full' }]])
})
