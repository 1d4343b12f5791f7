/** Requests through the middleware, on a node of its own, without a network: node's own objects, and nobody behind them. */
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { MemoryBackend } from '../../src/backend/memory/memory.js'
import { sessions } from '../../src/http/middleware.js'
import { resolveSessionOptions } from '../../src/http/options.js'
import { IdCodec } from '../../src/session/id.js'

export type RequestName = 'readRequest' | 'writeRequest' | 'createRequest'

const START = Date.UTC(2026, 0, 1)
const ATTRIBUTES = 10

type Data = Record<string, unknown>

export function requests(): Readonly<Record<RequestName, () => void>> {
  let drawn = 0
  const randomBytes = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(0).map((_, i) => (++drawn >> (8 * (i % 4))) & 0xff)
  const now = (): number => START
  const backend = new MemoryBackend({ ids: new IdCodec(['0123456789abcdef0123456789abcdef'], randomBytes), actor: 1, now })
  const middleware = sessions(backend, resolveSessionOptions(), { now, log: () => {} })
  const socket = new Socket()
  let version = 0

  const ask = (cookie: string | undefined, handle: (data: Data) => void): ServerResponse => {
    const req = new IncomingMessage(socket)
    if (cookie !== undefined) req.headers.cookie = cookie
    const res = new ServerResponse(req)
    middleware(req, res, () => handle((req as unknown as { readonly session: Data }).session))
    res.end()
    return res
  }
  const create = (): ServerResponse => {
    return ask(undefined, (data) => {
      for (let i = 0; i < ATTRIBUTES; i++) data[`a${i}`] = text(0)
    })
  }
  const cookie = String(create().getHeader('Set-Cookie')).split(';')[0]
  const expect = (outcome: boolean): void => {
    if (!outcome) throw new Error('a request did not find its session')
  }
  return {
    readRequest: () => void ask(cookie, (data) => expect(typeof data['a3'] === 'string')),
    writeRequest: () => {
      void ask(cookie, (data) => {
        data['a3'] = text(++version)
      })
    },
    createRequest: () => void create(),
  }
}

function text(version: number): string {
  return String(version).padEnd(100, '.')
}
