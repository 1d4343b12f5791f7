/** node:http, one cookie, and a Map: what Express itself costs is the difference between this and the floor. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { serve } from './serve.js'
import { attributeName, textOf } from './text.js'

const sessions = new Map<string, Map<string, string>>()

function answer(req: IncomingMessage, res: ServerResponse): void {
  const [, route = '', ...params] = (req.url ?? '/').split('/')
  const [first = '', second = '', third = ''] = params
  const session = sessions.get(idOf(req)) ?? begin(res)
  switch (route) {
    case 'create': {
      const text = textOf(first, Number(third))
      for (let i = 0; i < Number(second); i++) session.set(attributeName(i), text)
      res.end(text)
      return
    }
    case 'read':
      res.end(session.get(first) ?? '')
      return
    case 'write': {
      const text = textOf(second, Number(third))
      session.set(first, text)
      res.end(text)
      return
    }
    default:
      res.statusCode = 404
      res.end()
  }
}

function idOf(req: IncomingMessage): string {
  const { cookie = '' } = req.headers
  const at = cookie.indexOf('sid=')
  return at < 0 ? '' : cookie.slice(at + 4, at + 40)
}

function begin(res: ServerResponse): Map<string, string> {
  const id = randomUUID()
  const session = new Map<string, string>()
  sessions.set(id, session)
  res.setHeader('set-cookie', `sid=${id}; Path=/; HttpOnly`)
  return session
}

await serve(answer)
