import { describe, expect, test } from 'vitest'
import { byRoom, roomOf } from '../../bench/method/rooms.js'
import { selfTimes } from '../../bench/method/self-times.js'

const frame = (functionName: string, url = '') => ({ functionName, url })

describe('where the time of a sampled process went', () => {
  const nodes = [
    { id: 1, callFrame: frame('(root)'), children: [2, 3, 6, 7] },
    { id: 2, callFrame: frame('onRequest', 'node:_http_server'), children: [4] },
    { id: 3, callFrame: frame('(idle)') },
    { id: 4, callFrame: frame('commit', 'file:///p/dist/src/http/commit.js'), children: [5] },
    { id: 5, callFrame: frame('hash') },
    { id: 6, callFrame: frame('(garbage collector)') },
    { id: 7, callFrame: frame('(program)') },
  ]

  test('is counted by the file that ran, and what is built in for whoever called it', () => {
    const times = selfTimes({ nodes, samples: [2, 4, 5, 5], timeDeltas: [10, 20, 30, 40] })

    expect([...times]).toEqual([['node:_http_server', 10], ['file:///p/dist/src/http/commit.js', 90]])
  })

  test('has no place for time in which nothing was done, and one for the collector', () => {
    const times = selfTimes({ nodes, samples: [3, 6, 7], timeDeltas: [1_000, 5, 7] })

    expect([...times]).toEqual([['(garbage collector)', 5], ['(program)', 7]])
  })

  test('has no place for beginning and ending the sampling itself', () => {
    const sampler = { id: 8, callFrame: frame('post', 'node:inspector'), children: [9] }
    const withSampler = [...nodes, sampler, { id: 9, callFrame: frame('dispatch') }]

    expect([...selfTimes({ nodes: withSampler, samples: [9, 2], timeDeltas: [10, 20] })]).toEqual([['node:_http_server', 20]])
  })

  test('a clock that goes back takes nothing away', () => {
    expect([...selfTimes({ nodes, samples: [2, 2], timeDeltas: [10, -4] })]).toEqual([['node:_http_server', 10]])
  })
})

describe('whose code a file is', () => {
  test.each([
    ['node:_http_outgoing', 'nodeHttp'],
    ['node:net', 'nodeHttp'],
    ['node:internal/crypto/hash', 'nodeCrypto'],
    ['node:internal/timers', 'node'],
    ['file:///p/node_modules/ws/lib/sender.js', 'ws'],
    ['file:///p/node_modules/router/index.js', 'express'],
    ['file:///p/node_modules/express-session/session/memory.js', 'expressSession'],
    ['file:///p/node_modules/@redis/client/dist/lib/client.js', 'redisClient'],
    ['file:///p/dist/src/replica/state.js', 'meshReplica'],
    ['file:///p/dist/src/backend/memory/memory.js', 'mesh'],
    ['file:///p/dist/bench/servers/application.js', 'application'],
  ])('%s: %s', (url, room) => {
    expect(roomOf(url)).toBe(room)
  })

  test('rooms are summed', () => {
    const times = { 'file:///p/dist/src/http/a.js': 3, 'file:///p/dist/src/http/b/c.js': 4, 'node:net': 5 }

    expect([...byRoom(times)]).toEqual([['meshHttp', 7], ['nodeHttp', 5]])
  })
})
