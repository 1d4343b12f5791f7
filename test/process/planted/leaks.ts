/** Tests that pass, and each of which writes down what nobody may see: what canary-run.test.ts runs. */
import { spawnSync } from 'node:child_process'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { BackendError } from '../../../src/errors.js'
import { createCluster, type Cluster } from '../../../src/index.js'
import { CANARY_VALUE } from '../../support/canary/scan.js'

const SECRET = 'planted-W8cJ2nTq5rXk0ZbYf4LhMv7s'

test('an id in a log that nobody reads', async () => {
  await using cluster = await open()
  let id = ''
  // Not an error: the log alone has it.
  cluster.onAttribute('n', { bound: () => Promise.reject(`the listener of ${id} failed`) })

  await visit(cluster, (req, res) => {
    req.session.rotate().then(
      () => {
        id = req.session.id ?? ''
        Object.assign(req.session, { n: 1 })
        res.end()
      },
      () => {},
    )
  })
})

test('half an id in the output of a process', async () => {
  await using cluster = await open()

  const id = await visit(cluster, (req, res) => {
    Object.assign(req.session, { n: 1 })
    req.session.commit().then(() => res.end(req.session.id), () => {})
  })

  say(`half an id: ${id.slice(9, 41)}`)
})

test('a secret in an error that is caught', () => {
  const failed = new BackendError(`no node has the secret ${SECRET}`)

  expect(failed.message).toContain('no node')
})

test('a value in an answer that says what failed', async () => {
  await using cluster = await open()

  await visit(cluster, (_req, res) => {
    res.statusCode = 500
    res.end(`cannot keep ${CANARY_VALUE}`)
  })
})

test('a whole id in the output of a process, by a cookie or not', async () => {
  await using cluster = await open()
  const { id } = await cluster.backend.create({ writes: [] }, { maxIdleMs: 1_000, maxLifeMs: 1_000 })

  say(`made ${id}`)
})

test('nothing at all', () => {
  say('a word of 48 characters: abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuv')
})

/** A cluster whose log tells of a listener that failed, and is itself where nobody looks. */
async function open(): Promise<Cluster & AsyncDisposable> {
  const log = vi.fn()
  const cluster = await createCluster({ name: 'planted', secret: SECRET, backend: { type: 'memory' }, log })
  return Object.assign(cluster, { [Symbol.asyncDispose]: async () => await cluster.close() })
}

async function visit(cluster: Cluster, handler: RequestListener): Promise<string> {
  const sessions = cluster.sessions()
  const server = createServer((req, res) => sessions(req, res, () => handler(req, res)))
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })
  return await answer.text()
}

function say(line: string): void {
  spawnSync(process.execPath, ['-e', `console.log(${JSON.stringify(line)})`])
}
