import { Command } from 'ioredis'
import { expect, it } from 'vitest'
import { commandBytes } from '../../src/backend/redis/command-bytes.js'
import { commandsOf } from '../../src/backend/redis/commands.js'
import type { RedisArgument } from '../../src/backend/redis/dial.js'

const LONG = 'x'.repeat(300)

it.each<readonly RedisArgument[]>([
  [],
  ['', 'a', 0, 7, 10, 99, 100, 1_234_567_890_123],
  ['\u0000principal', 'ä', '日本語', '🙂', 'a🙂b'.repeat(20), '\ud800'],
  [LONG, `ä${LONG}`, 'x'.repeat(255), 'ä'.repeat(255), 'x'.repeat(256)],
  [Buffer.alloc(0), Buffer.from([0, 13, 10, 255]), Buffer.alloc(70_000, 1)],
  Array.from({ length: 1_200 }, (_, i) => (i % 2 === 0 ? `name${i}` : Buffer.from([i % 256]))),
])('a command has the bytes that ioredis would give it (%#)', (...args) => {
  const expected = new Command('evalsha', args.map((arg) => (typeof arg === 'object' ? Buffer.from(arg) : arg))).toWritable({})

  expect(commandBytes('evalsha', args).equals(Buffer.from(expected))).toBe(true)
})

it('takes any bytes for a value, wherever they lie', () => {
  const bytes = new Uint8Array([1, 2, 3, 4]).subarray(1, 3)

  expect(commandBytes('SET', ['k', bytes])).toEqual(Buffer.from('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\n\u0002\u0003\r\n'))
})

it('who traces commands sees neither values nor names of attributes', () => {
  const command = commandsOf({ Command }).encoded('evalsha', ['sha', 1, 'key', 'name', 'secret'], 3)

  expect(command).toMatchObject({ name: 'evalsha', args: ['sha', '1', 'key'] })
  expect(command.toWritable({}).toString()).toContain('secret')
})
