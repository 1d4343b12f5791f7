import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Store } from './node-process.js'
import type { Answered } from './proxy.js'
import type { Supervisor } from './supervisor.js'

/** Makes the page; `nonce` is what its one script must carry. */
export type Page = (nonce: string) => string

const CLICKS_KEPT = 20
const LISTENERS_MAX = 32
const ACTIONS = /^\/demo\/(?:(kill|restart)\/([a-z])|store\/(mesh|memory))$/

/** What lies under /demo: the page, a stream of what happens, its buttons. The rest belongs to the shop. */
export class Control {
  readonly #supervisor: Supervisor
  readonly #page: Page
  readonly #listeners = new Set<ServerResponse>()
  readonly #answers = new Map<string, number>()
  #clicks: Answered[] = []

  constructor(supervisor: Supervisor, page: Page) {
    this.#supervisor = supervisor
    this.#page = page
  }

  handle(req: IncomingMessage, res: ServerResponse): boolean {
    const path = (req.url ?? '/').split('?', 1)[0] ?? '/'
    if (path !== '/demo' && !path.startsWith('/demo/')) return false
    if (!isLocal(req)) refuse(res, 403, 'This page is for the machine it runs on.')
    else if (path === '/demo' && req.method === 'GET') this.#showPage(res)
    else if (path === '/demo/events' && req.method === 'GET') this.#listen(res)
    else this.#act(path, req, res)
    return true
  }

  answered(answer: Answered): void {
    this.#answers.set(answer.node, (this.#answers.get(answer.node) ?? 0) + 1)
    this.#clicks = [...this.#clicks, answer].slice(-CLICKS_KEPT)
    this.#tell('click', answer)
    this.changed()
  }

  changed(): void {
    this.#tell('state', this.#state())
  }

  close(): void {
    for (const listener of this.#listeners) listener.end()
  }

  #state(): unknown {
    const { nodes, store, line } = this.#supervisor
    const counted = nodes.map((node) => ({ ...node, answered: this.#answers.get(node.name) ?? 0 }))
    return { store, line, nodes: counted }
  }

  #tell(event: string, data: unknown): void {
    if (this.#listeners.size === 0) return
    const text = `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
    for (const listener of this.#listeners) listener.write(text)
  }

  #showPage(res: ServerResponse): void {
    const nonce = randomBytes(16).toString('base64')
    const inline = `script-src 'nonce-${nonce}'; style-src 'unsafe-inline'; img-src data:`
    res.writeHead(200, {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': `default-src 'none'; ${inline}; connect-src 'self'; frame-src 'self'`,
      'Cache-Control': 'no-store',
    })
    res.end(this.#page(nonce))
  }

  #listen(res: ServerResponse): void {
    if (this.#listeners.size >= LISTENERS_MAX) return refuse(res, 503, 'Too many open pages.')
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    this.#listeners.add(res)
    res.once('close', () => this.#listeners.delete(res))
    const clicks = this.#clicks.map((click) => `event: click\ndata: ${JSON.stringify(click)}\n\n`)
    res.write(`${clicks.join('')}event: state\ndata: ${JSON.stringify(this.#state())}\n\n`)
  }

  #act(path: string, req: IncomingMessage, res: ServerResponse): void {
    const [, verb, node = '', store] = ACTIONS.exec(path) ?? []
    if (verb === undefined && store === undefined) return refuse(res, 404, 'No such page.')
    // A form or script of another site cannot send this header without asking first, and nobody answers that.
    const pressed = req.method === 'POST' && req.headers['x-demo'] !== undefined
    if (!pressed) return refuse(res, 405, 'Use the buttons.')
    this.#perform(verb, node, store).then(
      () => res.writeHead(204).end(),
      (error: unknown) => refuse(res, 409, error instanceof Error ? error.message : String(error)),
    )
  }

  async #perform(verb: string | undefined, node: string, store: string | undefined): Promise<void> {
    if (verb === 'kill') await this.#supervisor.kill(node)
    else if (verb === 'restart') await this.#supervisor.restart(node)
    else if (isStore(store)) await this.#supervisor.use(store)
  }
}

function isStore(text: string | undefined): text is Store {
  return text === 'mesh' || text === 'memory'
}

/** A name that somebody made resolve to this machine is not this machine. */
function isLocal(req: IncomingMessage): boolean {
  return /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(req.headers.host ?? '')
}

function refuse(res: ServerResponse, status: number, text: string): void {
  res.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`)
}
