import { expect, test } from 'vitest'
import { formatAddress, isLoopback, isWildcard, parseAddress } from '../../src/address.js'

test.each([
  ['127.0.0.1:7946', { host: '127.0.0.1', port: 7946 }],
  ['Node-A.Example:1', { host: 'node-a.example', port: 1 }],
  ['[::1]:65535', { host: '::1', port: 65535 }],
  ['localhost:0', { host: 'localhost', port: 0 }],
])('%s is an address and keeps its spelling', (text, address) => {
  expect(parseAddress(text)).toEqual(address)
  expect(formatAddress(address)).toBe(text.toLowerCase())
})

test.each(['', '7946', ':7946', 'a:', 'a:-1', 'a:65536', 'a:1.5', 'a:b', '::1:80', 'http://a:1', 'u:p@a:1', 'a b:1', 'a:1/x'])(
  '%s is no address',
  (text) => {
    expect(parseAddress(text)).toBeUndefined()
  },
)

test.each(['127.0.0.1', '127.8.9.10', '::1', 'localhost', 'LOCALHOST'])('%s is loopback', (host) => {
  expect(isLoopback(host)).toBe(true)
})

test.each(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example.com', 'localhost.example.com', '128.0.0.1', ''])('%s is not loopback', (host) => {
  expect(isLoopback(host)).toBe(false)
})

test('only the wildcards are wildcards', () => {
  expect(['0.0.0.0', '::', '127.0.0.1', '::1'].map(isWildcard)).toEqual([true, true, false, false])
})
