/**
 * No id of a session, no secret and no value of an attribute in anything that is written down: logs, errors, metrics,
 * health, events. Every flow here carries words that can be recognised, and everything that comes out is searched.
 */
import { createServer } from 'node:http'
import { inspect } from 'node:util'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createCluster, toPrometheus, type Cluster, type ClusterConfig, type Session } from '../../src/index.js'
import { freePort } from '../free-port.js'
import { Client, type Handler } from './support.js'

const SECRET = 'CanarySecretOfTheCluster7mEa5tRd9pLf'
const WRONG_SECRET = 'CanarySecretOfAnIntruder8Hu8Mp3Ld0R'
const VALUE = 'CanaryValueOfAnAttribute'

/** Everything that was written down, and every id that was handed out. */
class Paper {
  readonly lines: string[] = []
  readonly ids = new Set<string>()

  note(...things: readonly unknown[]): void {
    for (const thing of things) this.lines.push(inspect(thing, { depth: 20, maxStringLength: Infinity, showHidden: true }))
  }

  /** Lines with something in them that must not be there. A part of an id is as bad as all of it. */
  get leaks(): readonly string[] {
    const parts = [...this.ids].flatMap((id) => [id.slice(0, 24), id.slice(24)])
    const words = ['CanarySecret', 'CanaryValue', ...parts]
    return this.lines.filter((line) => words.some((word) => line.includes(word)))
  }
}

function listenIn(paper: Paper): void {
  for (const stream of [process.stderr, process.stdout]) {
    const spy = vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      paper.note(String(chunk))
      return true
    })
    onTestFinished(() => spy.mockRestore())
  }
  for (const name of ['log', 'info', 'warn', 'error'] as const) {
    const spy = vi.spyOn(console, name).mockImplementation((...args: unknown[]) => paper.note(...args))
    onTestFinished(() => spy.mockRestore())
  }
}

async function open(paper: Paper, config: Partial<ClusterConfig>): Promise<Cluster> {
  const cluster = await createCluster({
    name: 'shop',
    secret: SECRET,
    log: (level, event, fields) => paper.note(`${level} ${event}`, fields),
    ...config,
  })
  onTestFinished(async () => await cluster.close())
  for (const type of ['created', 'changed', 'rotated', 'destroyed', 'expired'] as const) {
    cluster.on(type, (event) => paper.note(event))
  }
  return cluster
}

/** A site whose errors are written down as an error handler of an application would. */
async function site(paper: Paper, cluster: Cluster, handler: Handler, options: ClusterConfig['session'] = {}): Promise<Client> {
  const sessions = cluster.sessions(options)
  const server = createServer((req, res) => {
    sessions(req, res, (error?: unknown) => {
      const fail = (reason: unknown): void => {
        paper.note(reason)
        res.statusCode = 500
        res.end()
      }
      if (error !== undefined) return fail(error)
      const answer = async (): Promise<void> => await handler(req, res)
      return void answer().catch(fail)
    })
  })
  onTestFinished(() => void server.close())
  onTestFinished(() => server.closeAllConnections())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return new Client(server)
}

/** What can go right and wrong, by path. */
const everything: Handler = async (req, res) => {
  const { session } = req
  const note = Reflect.get(req, 'note') as Paper
  if (session.id !== undefined) note.ids.add(session.id)
  switch (req.url ?? '/') {
    case '/write':
      session['canary'] = VALUE
      await session.commit()
      break
    case '/print':
      // What a careless application does: the session itself and its request must not give the id away.
      note.lines.push(inspect({ ...session, canary: 'left out' }), Object.keys(session).join())
      break
    case '/rotate':
      await session.rotate()
      break
    case '/principal':
      await session.setPrincipal('ada')
      break
    case '/refused':
      session['deep'] = { list: [VALUE, () => VALUE] }
      break
    case '/too-big':
      session['big'] = VALUE.repeat(10_000)
      break
    case '/reserved':
      Reflect.set(session, 'cookie', VALUE)
      break
    case '/replaced':
      Reflect.set(req, 'session', { canary: VALUE })
      break
    case '/late':
      res.write('x')
      session['canary'] = `${VALUE} late`
      break
    case '/out':
      await session.destroy()
      break
    case '/after-the-end':
      await session.destroy()
      session['canary'] = VALUE
      break
  }
  if (session.id !== undefined) note.ids.add(session.id)
  res.end()
}

const ROUND = ['write', 'print', 'rotate', 'refused', 'too-big', 'reserved', 'replaced', 'late', 'principal', 'rotate', 'out', 'late', 'write', 'after-the-end']

async function walk(paper: Paper, cluster: Cluster, options: ClusterConfig['session'], bring: (id: string) => object): Promise<void> {
  const noting: Handler = async (req, res) => {
    Reflect.set(req, 'note', paper)
    await everything(req, res)
  }
  const browser = await site(paper, cluster, noting, options)
  let last = ''
  for (const step of ROUND) {
    const before = last
    const answer = await browser.get(`/${step}`, last === '' ? {} : { headers: { ...bring(last) } })
    paper.note(answer.body)
    last = [...paper.ids].at(-1) ?? ''
    // A replaced id, and one that somebody made up.
    if (before !== last && before !== '') await browser.send({ path: '/late', headers: { ...bring(before) } })
    await browser.send({ path: '/write', headers: { ...bring(`${last.slice(0, 40)}AAAAAAAA`) } })
  }
}

test.each<[string, ClusterConfig['session'], (id: string) => object]>([
  ['cookies', {}, (id) => ({ cookie: `sid=${id}` })],
  ['headers', { carrier: { header: 'X-Auth-Token' } }, (id) => ({ 'x-auth-token': id })],
  ['accounts', { accounts: true, lateWrites: 'drop', onGone: 'throw' }, (id) => ({ cookie: `sid=0.${id}~1.${id}` })],
  ['cookies over http that are only for https', { cookie: { secure: true }, onGone: 'restart', flush: 'immediate' }, (id) => ({ cookie: `__Host-sid=${id}` })],
])('nothing is written down of sessions with %s', async (_, session, bring) => {
  const paper = new Paper()
  listenIn(paper)
  const cluster = await open(paper, { backend: { type: 'memory' } })

  await walk(paper, cluster, session, bring)

  paper.note(cluster.metrics(), toPrometheus(cluster.metrics()), cluster.backend.health(), cluster.backend.counters(), cluster)
  if (session?.cookie === undefined) expect(paper.ids.size).toBeGreaterThan(3)
  expect(paper.lines.length).toBeGreaterThan(20)
  expect(paper.leaks).toEqual([])
})

test('nothing is written down between nodes, nor about a node that does not belong to them', async () => {
  const paper = new Paper()
  listenIn(paper)
  const peers = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`]
  const start = async (index: number, secret: string): Promise<Cluster> => {
    const backend = { type: 'replicated', bootstrapTimeout: 200 } as const
    return await open(paper, { node: { id: `node-${index}`, listen: peers[index] }, peers, secret, backend, debug: { creationStacks: true } })
  }
  const [a, b] = [await start(0, SECRET), await start(1, SECRET)]
  await Promise.all([a.ready(), b.ready()])
  const intruder = await start(2, WRONG_SECRET)
  await vi.waitFor(() => expect(paper.lines.join('\n')).toMatch(/refus|secret/i), { timeout: 5_000 })

  await walk(paper, a, {}, (id) => ({ cookie: `sid=${id}` }))
  await walk(paper, b, {}, (id) => ({ cookie: `sid=${id}` }))
  const mine: Session[] = []
  const one = await site(paper, a, async (req, res) => {
    req.session['canary'] = VALUE
    await req.session.setPrincipal('ada')
    paper.ids.add(req.session.id ?? '')
    mine.push(req.session)
    res.end()
  })
  await one.get()
  const ref = mine[0] === undefined ? undefined : a.refOf(mine[0])
  if (ref === undefined) throw new Error('no session')
  paper.note(await a.explain(ref), await b.explain(ref), await b.sessionsOf('ada'))
  await b.logOutEverywhere('ada')
  for (const cluster of [a, b, intruder]) {
    paper.note(cluster.metrics(), toPrometheus(cluster.metrics()), cluster.backend.health(), cluster)
  }
  await Promise.all([a.close(), b.close(), intruder.close()])

  expect(paper.ids.size).toBeGreaterThan(5)
  expect(paper.leaks).toEqual([])
})

test('what this file looks for is found where it is', () => {
  const paper = new Paper()
  paper.ids.add('0123456789abcdefghijklmnopqrstuvwxyz0123456789ab')
  paper.note('fine', { deep: { list: [`x ${VALUE}`] } }, { message: `of ${SECRET}` }, 'stamp 0123456789abcdefghijklmn…')
  expect(paper.leaks).toHaveLength(3)
})
