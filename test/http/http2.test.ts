import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect, createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { held, Latch, mount, until, type TestRequest } from './support.js'

it('a response of HTTP/2, which is none of node:http, is held like all others', async () => {
  const latch = new Latch()
  const { middleware } = mount({}, (memory) => held(memory, ['create'], latch))
  const seen: unknown[] = []
  const server = createServer((req, res) => {
    // Express and others hand their middlewares the same objects, whose types differ from those of node:http.
    const [request, response] = [req as unknown as IncomingMessage, res as unknown as ServerResponse]
    middleware(request, response, () => {
      ;(request as unknown as TestRequest).session.n = 1
      seen.push(response.headersSent, response.writableEnded)
      response.end('body')
      seen.push(response.headersSent, response.writableEnded)
      expect(() => response.setHeader('X-Late', '1')).toThrow('after they are sent')
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  onTestFinished(() => {
    client.close()
    server.close()
  })

  const stream = client.request({ ':path': '/' })
  const headers = once(stream, 'response')
  await until(() => expect(latch.waiting).toBe(1))
  latch.open()
  const [head] = (await headers) as [Record<string, unknown>]
  let body = ''
  for await (const chunk of stream) body += String(chunk)

  expect(body).toBe('body')
  expect(String(head['set-cookie'])).toMatch(/^sid=/)
  expect(seen).toEqual([false, false, true, true])
})
