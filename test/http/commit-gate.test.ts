import express from 'express'
import { once } from 'node:events'
import { writeFile, rm, mkdtemp } from 'node:fs/promises'
import { request, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip, gunzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { BackendError } from '../../src/errors.js'
import { bare, frameworks, held, Latch, mount, serve, until, type Answer, type Handler, type Mounted } from './support.js'

/** A server whose commits wait for the latch. */
function slow(): { mounted: Mounted; latch: Latch } {
  const latch = new Latch()
  return { mounted: mount({}, (memory) => held(memory, ['create', 'save'], latch)), latch }
}

/** Requests once; asserts that not a byte of the answer comes before the commit is let go. */
async function answerAfterCommit(handler: Handler, framework = bare, method = 'GET'): Promise<Answer> {
  const { mounted, latch } = slow()
  const client = await serve(framework(mounted.middleware, handler))
  let early = true
  let answered = false
  const sent = client.send({ method }).then((answer) => {
    answered = true
    expect(early).toBe(false)
    return answer
  })
  await until(() => expect(latch.waiting).toBe(1))
  // Another request goes all the way: the first had every chance to be answered.
  await client.send({ path: '/other' }).catch(() => {})
  expect(answered).toBe(false)
  early = false
  latch.open()
  return await sent
}

/** Writes to the session except on the path that shows that the server is alive. */
function writing(handler: Handler): Handler {
  return (req, res) => {
    if (req.url === '/other') return void res.end()
    req.session.n = 1
    return handler(req, res)
  }
}

const KB = 1024

describe.each(frameworks)('on %s nothing leaves before the commit:', (_, framework) => {
  it.each<[string, Handler, Partial<Answer>]>([
    ['end', (_req, res) => void res.end('body'), { body: 'body' }],
    ['end without a body', (_req, res) => void res.end(), { body: '' }],
    [
      'writeHead with headers, write, end',
      (_req, res) => {
        res.writeHead(201, { 'X-Mine': 'a', 'Content-Type': 'text/plain' })
        expect(res.headersSent).toBe(true)
        expect(() => res.setHeader('X-Late', '1')).toThrow('after they are sent')
        res.write('one ')
        res.end('two')
      },
      { status: 201, body: 'one two' },
    ],
    [
      'flushHeaders and a stream of events',
      async (_req, res) => {
        res.setHeader('Content-Type', 'text/event-stream')
        res.flushHeaders()
        res.statusCode = 500
        for (let i = 0; i < 3; i++) {
          res.write(`data: ${i}\n\n`)
          await Promise.resolve()
        }
        res.end()
      },
      { status: 200, body: 'data: 0\n\ndata: 1\n\ndata: 2\n\n' },
    ],
    [
      'pipe',
      (_req, res) => void Readable.from(Array.from({ length: 40 }, () => 'x'.repeat(8 * KB))).pipe(res),
      { body: 'x'.repeat(320 * KB) },
    ],
    [
      'pipeline',
      (_req, res) => pipeline(Readable.from(Array.from({ length: 40 }, () => 'y'.repeat(8 * KB))), res),
      { body: 'y'.repeat(320 * KB) },
    ],
    [
      '304',
      (_req, res) => {
        res.statusCode = 304
        res.end()
      },
      { status: 304, body: '' },
    ],
    [
      'redirect',
      (_req, res) => {
        res.writeHead(302, { Location: '/other' }).end()
      },
      { status: 302 },
    ],
    [
      'trailers',
      (_req, res) => {
        res.writeHead(200, { Trailer: 'X-Sum' })
        res.write('body')
        res.addTrailers({ 'X-Sum': '42' })
        res.end()
      },
      { body: 'body', trailers: { 'x-sum': '42' } },
    ],
  ])('%s', async (_name, handler, expected) => {
    const answer = await answerAfterCommit(writing(handler), framework)
    expect(answer).toMatchObject({ status: 200, ...expected })
    expect(answer.setCookie).toEqual([expect.stringMatching(/^sid=[\w-]{48}; Path=\/; HttpOnly; SameSite=Lax$/)])
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  it('HEAD', async () => {
    const handler = writing((_req, res) => void res.writeHead(200, { 'Content-Length': '4' }).end())
    const answer = await answerAfterCommit(handler, framework, 'HEAD')
    expect(answer).toMatchObject({ status: 200, body: '' })
    expect(answer.headers['content-length']).toBe('4')
    expect(answer.setCookie).toHaveLength(1)
  })

  it('a failed commit becomes an error answer, clean of what was meant for the other one', async () => {
    const { mounted, latch } = slow()
    const client = await serve(
      framework(
        mounted.middleware,
        writing((_req, res) => {
          res.setHeader('ETag', '"x"')
          res.writeHead(200, { 'Content-Length': '9', 'X-Kept': '1' })
          res.write('half of ')
          res.end('it')
          expect(res.writableEnded).toBe(true)
          expect(res.end('again')).toBe(res)
        }),
      ),
    )
    const sent = client.get()
    await until(() => expect(latch.waiting).toBe(1))
    latch.fail(new BackendError('too late'))

    const answer = await sent

    expect(answer).toMatchObject({ status: 503, body: 'error: too late', setCookie: [] })
    expect(answer.headers).toMatchObject({ 'retry-after': '1', 'content-length': '15' })
    expect(answer.headers).not.toHaveProperty('etag')
    expect(mounted.counter('commit_failures_total')).toBe(1)
  })
})

describe('with Express', () => {
  const app = (mounted: Mounted, use: (app: express.Express) => void): express.Express => {
    const server = express()
    server.set('env', 'test')
    server.use(mounted.middleware)
    use(server)
    return server
  }

  it('res.redirect, res.json, res.send and res.sendFile wait, and a 304 still is one', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'session-mesh-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const file = join(directory, 'big.txt')
    await writeFile(file, 'z'.repeat(200 * KB))
    const { mounted, latch } = slow()
    const client = await serve(
      app(mounted, (server) => {
        server.use((req, _res, next) => {
          Object.assign(req.session, { path: req.url })
          next()
        })
        server.get('/redirect', (_req, res) => res.redirect('/next'))
        server.get('/json', (_req, res) => void res.json({ a: 1 }))
        server.get('/file', (_req, res) => res.sendFile(file))
      }),
    )
    const through = async (path: string, headers: Record<string, string> = {}): Promise<Answer> => {
      latch.close()
      const sent = client.get(path, { headers })
      await until(() => expect(latch.waiting).toBe(1))
      latch.open()
      return await sent
    }

    const redirect = await through('/redirect')
    expect(redirect).toMatchObject({ status: 302, headers: { location: '/next' } })
    expect(redirect.setCookie).toHaveLength(1)
    const first = await through('/json')
    expect(first.body).toBe('{"a":1}')
    const file1 = await through('/file')
    expect(file1.body).toHaveLength(200 * KB)
    expect(file1.headers).toMatchObject({ 'content-length': String(200 * KB), 'content-type': 'text/plain; charset=utf-8' })
    const etag = String(first.headers.etag)
    expect(await through('/json', { 'if-none-match': etag })).toMatchObject({ status: 304, body: '' })
  })

  it('an error handler that throws away the headers does not lose the cookie of an earlier commit', async () => {
    const mounted = mount()
    const client = await serve(
      app(mounted, (server) => {
        server.get('/', async (req) => {
          Object.assign(req.session, { n: 1 })
          await req.session.commit()
          throw new Error('the page broke')
        })
      }),
    )
    const answer = await client.get()
    expect(answer.status).toBe(500)
    expect(answer.setCookie).toHaveLength(1)
  })
})

/** What compression middlewares do: other methods in front of the response, and node's own called from a stream. */
function compressing(res: ServerResponse): Transform {
  const { write, end } = { write: res.write.bind(res), end: res.end.bind(res) }
  const gzip = createGzip()
  gzip.on('data', (chunk: Buffer) => {
    if (write(chunk) === false) gzip.pause()
  })
  gzip.on('end', () => end())
  res.on('drain', () => gzip.resume())
  const begin = (): void => {
    if (res.headersSent) return
    res.setHeader('Content-Encoding', 'gzip')
    res.writeHead(res.statusCode)
  }
  Object.assign(res, {
    write: (chunk: string) => {
      begin()
      return gzip.write(chunk)
    },
    end: (chunk?: string) => {
      begin()
      gzip.end(chunk)
      return res
    },
  })
  return gzip
}

async function rawGet(port: number): Promise<{ status: number | undefined; encoding: string | undefined; body: Buffer }> {
  const sent = request({ host: '127.0.0.1', port, agent: false })
  sent.end()
  const [res] = (await once(sent, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of res) chunks.push(chunk as Buffer)
  return { status: res.statusCode, encoding: res.headers['content-encoding'], body: Buffer.concat(chunks) }
}

describe('compression', () => {
  const noise = Array.from({ length: 20_000 }, (_, i) => Math.sin(i).toString(36)).join('')

  it.each(['after', 'before'])('mounted %s the sessions works', async (place) => {
    const { mounted, latch } = slow()
    const client = await serve((req, res) => {
      if (place === 'before') compressing(res)
      mounted.middleware(req, res, (error) => {
        if (error !== undefined) return void res.destroy()
        if (place === 'after') compressing(res)
        Object.assign(req.session, { n: 1 })
        res.write(noise)
        return void res.end(noise)
      })
    })
    const sent = rawGet(client.port)
    await until(() => expect(latch.waiting).toBe(1))
    latch.open()

    const { encoding, body } = await sent

    expect(encoding).toBe('gzip')
    expect(gunzipSync(body).toString()).toBe(noise + noise)
  })

  it('does not garble the error answer of a failed commit', async () => {
    const { mounted, latch } = slow()
    const client = await serve((req, res) => {
      mounted.middleware(req, res, (error) => {
        if (error !== undefined) return void res.end('failed')
        compressing(res)
        Object.assign(req.session, { n: 1 })
        res.write(noise)
        return void res.end(noise)
      })
    })
    const sent = rawGet(client.port)
    await until(() => expect(latch.waiting).toBe(1))
    latch.fail(new BackendError('no'))
    expect(await sent).toEqual({ status: 500, encoding: undefined, body: Buffer.from('failed') })
  })
})

describe('a held response', () => {
  it('keeps 64 KiB, then asks the application to wait until it drains', async () => {
    const { mounted, latch } = slow()
    const told: boolean[] = []
    let drained = 0
    const client = await serve(
      bare(
        mounted.middleware,
        writing(async (_req, res) => {
          for (let i = 0; i < 5; i++) told.push(res.write('x'.repeat(16 * KB)))
          await once(res, 'drain')
          drained++
          res.end()
        }),
      ),
    )
    const sent = client.get()
    await until(() => expect(latch.waiting).toBe(1))
    expect(told).toEqual([true, true, true, false, false])
    expect(drained).toBe(0)
    latch.open()
    expect((await sent).body).toHaveLength(80 * KB)
    expect(drained).toBe(1)
  })

  it('calls back what was written, in order, after it was sent', async () => {
    const called: string[] = []
    const answer = await answerAfterCommit(
      writing((_req, res) => {
        res.write('a', () => called.push('a'))
        res.write('b', 'utf8', () => called.push('b'))
        res.end('c', () => called.push('end'))
        expect(called).toEqual([])
      }),
    )
    expect(answer.body).toBe('abc')
    await until(() => expect(called).toEqual(['a', 'b', 'end']))
  })

  it.each<[string, (res: ServerResponse) => void]>([
    ['end(callback)', (res) => void res.end(() => res.emit('told'))],
    ['end(chunk, encoding, callback)', (res) => void res.end('686578', 'hex', () => res.emit('told'))],
  ])('knows %s', async (_, end) => {
    let told = 0
    const answer = await answerAfterCommit(
      writing((_req, res) => {
        res.on('told', () => told++)
        end(res)
      }),
    )
    expect(['', 'hex']).toContain(answer.body)
    await until(() => expect(told).toBe(1))
  })

  it('whose browser is gone is committed all the same, and harms nobody (H15)', async () => {
    const { mounted, latch } = slow()
    const client = await serve(bare(mounted.middleware, writing((_req, res) => void Readable.from(['x', 'y']).pipe(res))))
    const sent = request({ host: '127.0.0.1', port: client.port, agent: false })
    sent.on('error', () => {})
    sent.end()
    await until(() => expect(latch.waiting).toBe(1))
    sent.destroy()
    latch.open()
    await until(() => expect(mounted.backend.size().sessions).toBe(1))
    expect((await client.get('/other')).status).toBe(200)
  })

  it('whose arguments node refuses fails as a request, not as a process', async () => {
    const answer = await answerAfterCommit(writing((_req, res) => void res.writeHead(99).end()))
    expect(answer).toMatchObject({ status: 500, body: expect.stringContaining('Invalid status code') })
  })

  it('that fails stops what was piped into it, and ignores what its handler still writes', async () => {
    const { mounted, latch } = slow()
    const source = new PassThrough()
    let stray = (): void => {}
    const client = await serve((req, res) => {
      mounted.middleware(req, res, (error) => {
        if (error === undefined) {
          Object.assign(req.session, { n: 1 })
          source.pipe(res)
          source.write('part')
          stray = () => {
            res.write('stray')
            res.end('stray')
          }
          return
        }
        // An error page in two parts, while the source has more, and a handler that does not know that it failed.
        res.write('fai')
        source.write('more')
        setImmediate(() => {
          res.end('led')
          stray()
        })
      })
    })
    const sent = client.get()
    await until(() => expect(latch.waiting).toBe(1))
    latch.fail(new BackendError('no'))

    expect((await sent).body).toBe('failed')

    await until(() => expect(source.readableFlowing).toBe(false))
  })
})

describe('a request that changed nothing', () => {
  it('is answered in the same turn, even where commits take their time', async () => {
    const { mounted } = slow()
    let sameTurn: boolean | undefined
    const client = await serve(
      bare(mounted.middleware, (req, res) => {
        expect(req.session.n).toBeUndefined()
        res.end('x')
        sameTurn = res.headersSent && res.writableEnded
      }),
    )
    await client.get()
    expect(sameTurn).toBe(true)
  })

  it('and one that changed something, on a backend in process, too', async () => {
    let sameTurn: boolean | undefined
    const client = await serve(
      bare(
        mount().middleware,
        writing((_req, res) => {
          res.end('x')
          sameTurn = res.headersSent && res.writableEnded
        }),
      ),
    )
    expect((await client.get()).setCookie).toHaveLength(1)
    expect(sameTurn).toBe(true)
  })
})

describe('changes after the headers', () => {
  it('are committed before the end', async () => {
    const { mounted, latch } = slow()
    latch.open()
    const client = await serve(
      bare(mounted.middleware, async (req, res) => {
        if (req.url === '/read') return void res.end(String(req.session.n))
        req.session.n = 1
        res.write('one')
        await until(() => expect(res.headersSent && mounted.backend.size().sessions === 1).toBe(true))
        latch.close()
        req.session.n = 2
        res.end('two')
        expect(res.writableEnded).toBe(false)
        return undefined
      }),
    )
    const sent = client.get()
    await until(() => expect(latch.waiting).toBe(1))
    latch.open()
    expect((await sent).body).toBe('onetwo')
    expect((await client.get('/read')).body).toBe('2')
  })

  it('to a session that does not exist yet are dropped, with one warning, and nothing throws (H14)', async () => {
    const mounted = mount()
    const client = await serve(
      bare(mounted.middleware, (req, res) => {
        res.write('one')
        req.session.n = 1
        res.end('two')
      }),
    )
    for (let i = 0; i < 2; i++) expect(await client.get()).toMatchObject({ status: 200, body: 'onetwo', setCookie: [] })
    expect(mounted.backend.size().sessions).toBe(0)
    expect(mounted.counter('writes_dropped_total{why="headers-sent"}')).toBe(2)
    expect(mounted.warnings).toHaveLength(1)
  })

  it('that cannot be saved are counted and logged, and the response ends', async () => {
    const latch = new Latch()
    const mounted = mount({}, (memory) => held(memory, ['save'], latch))
    const client = await serve(
      bare(mounted.middleware, (req, res) => {
        req.session.n ??= 1
        if (req.url === '/late') {
          res.write('one')
          req.session.n = 2
        }
        res.end('two')
      }),
    )
    await client.get()
    const sent = client.get('/late')
    await until(() => expect(latch.waiting).toBe(1))
    latch.fail(new BackendError('no'))
    expect(await sent).toMatchObject({ status: 200, body: 'onetwo' })
    expect(mounted.counter('late_commit_failures_total')).toBe(1)
    expect(mounted.warnings).toEqual([{ level: 'error', event: 'session-late-commit-failed', detail: 'no' }])
  })

  it('made when the response is over are saved by an explicit commit, where the session exists', async () => {
    const mounted = mount()
    const outcomes: unknown[] = []
    const client = await serve(
      bare(mounted.middleware, async (req, res) => {
        if (req.url === '/first') req.session.n = 1
        res.end('x')
        req.session.n = 5
        outcomes.push(await req.session.commit())
        outcomes.push(await req.session.rotate().catch((error: Error & { code?: string }) => error.code))
      }),
    )
    await client.get('/')
    await client.get('/first')
    await until(() => expect(outcomes).toEqual(['gone', 'ERR_HTTP_HEADERS_SENT', 'done', 'ERR_HTTP_HEADERS_SENT']))
  })
})

describe('headers of an application', () => {
  it.each<[string, Parameters<ServerResponse['writeHead']>[1]]>([
    ['as an object', { 'Set-Cookie': ['a=1', 'b=2'], 'X-Mine': 'yes', 'Cache-Control': 'private' }],
    ['as a list', ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Mine', 'yes', 'Cache-Control', 'private']],
  ])('given to writeHead %s stay beside the cookie of the session', async (_, headers) => {
    const client = await serve(
      bare(
        mount().middleware,
        writing((_req, res) => void res.writeHead(200, 'Fine', headers).end('x')),
      ),
    )
    const answer = await client.get()
    expect(answer.setCookie).toEqual(['a=1', 'b=2', expect.stringMatching(/^sid=/)])
    expect(answer.headers).toMatchObject({ 'x-mine': 'yes', 'cache-control': 'private' })
  })

  it('are passed on untouched when the session sets no cookie', async () => {
    const client = await serve(bare(mount().middleware, (_req, res) => void res.writeHead(200, { 'X-Mine': 'yes' }).end()))
    const { headers } = await client.get()
    expect(headers).toMatchObject({ 'x-mine': 'yes' })
    expect(headers).not.toHaveProperty('cache-control')
  })
})
