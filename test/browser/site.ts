/** A small site on three real nodes behind round robin, as a browser sees it. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { WebSocketServer } from 'ws'
import { createCluster, type Cluster, type Session, type SessionConfig } from '../../src/index.js'
import { LONG_LIVED } from '../support/long-lived.js'
import { freePorts } from '../support/members.js'
import { RoundRobin } from './round-robin.js'

interface Visitor {
  user: string
}

const SECRET = randomBytes(32).toString('base64url')
const NODES = ['node-0', 'node-1', 'node-2']

export interface Site {
  readonly url: string
  close(): Promise<void>
}

export async function openSite(session: SessionConfig): Promise<Site> {
  const peers = (await freePorts(NODES.length)).map((port) => `127.0.0.1:${port}`)
  const nodes = await Promise.all(NODES.map((id, i) => openNode({ id, listen: peers[i] }, peers, session)))
  const proxy = new RoundRobin(nodes.map(({ port }) => port))
  const url = `http://127.0.0.1:${await proxy.open()}`
  return {
    url,
    close: async () => {
      proxy.close()
      await Promise.all(nodes.map(({ close }) => close()))
    },
  }
}

interface SiteNode {
  readonly port: number
  readonly close: () => Promise<void>
}

async function openNode(
  node: { readonly id: string; readonly listen: string | undefined },
  peers: readonly string[],
  session: SessionConfig,
): Promise<SiteNode> {
  const cluster = await createCluster({ name: 'browser', node, peers, secret: SECRET, session })
  const server = serve(cluster, session.accounts !== undefined)
  await cluster.ready()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const close = async (): Promise<void> => {
    server.close()
    server.closeAllConnections()
    await cluster.close()
  }
  return { port: typeof address === 'object' && address !== null ? address.port : 0, close }
}

function serve(cluster: Cluster, hasAccounts: boolean): Server {
  const sessions = cluster.sessions()
  const server = createServer(LONG_LIVED, (req, res) => {
    sessions(req, res, () => {
      answer(req, res, { node: cluster.node, hasAccounts }).catch((error: unknown) => {
        if (!res.headersSent) res.writeHead(500)
        res.end(String(error))
      })
    })
  })
  const chat = new WebSocketServer({ server })
  cluster.bindWebSocket(chat)
  chat.on('connection', (socket) => {
    const reply = async (): Promise<void> => {
      const session: Session<Visitor> | undefined = await cluster.webSocketSession(socket)
      if (session !== undefined) socket.send(`${cluster.node} heard ${session.user}`)
    }
    socket.on('message', () => {
      reply().catch(() => socket.terminate())
    })
  })
  return server
}

type UrlFor = (path: string) => string

interface Place {
  readonly node: string
  readonly hasAccounts: boolean
}

async function answer(req: IncomingMessage, res: ServerResponse, place: Place): Promise<void> {
  const { node, hasAccounts } = place
  const session: Session<Visitor> = req.session
  const aliases = hasAccounts ? session.aliases() : undefined
  const here: UrlFor = (path) => (aliases === undefined ? path : session.urlFor(aliases.current, path))
  switch (`${req.method} ${req.url?.split('?', 1)[0]}`) {
    case 'GET /':
      res.setHeader('Content-Type', 'text/html; charset=utf-8')
      res.end(page(session.user, node, here, aliases === undefined ? '/' : session.urlFor(aliases.next, '/')))
      return
    case 'POST /login':
      session.user = new URLSearchParams(await text(req)).get('user') ?? ''
      await session.rotate()
      break
    case 'POST /logout':
      await session.destroy()
      break
    default:
      res.writeHead(404).end()
      return
  }
  res.writeHead(303, { Location: here('/'), 'X-Node': node }).end()
}

/** `#user` is empty for strangers; the chat says "tick" every second, and shows what it hears. */
function page(user: string | undefined, node: string, urlFor: UrlFor, another: string): string {
  return `<!doctype html><title>${node}</title><link rel="icon" href="data:,">
<p>You are <b id="user">${user ?? ''}</b>, says <b id="node">${node}</b>.
<form method="post" action="${urlFor('/login')}"><input name="user"><button id="login">Log in</button></form>
<form method="post" action="${urlFor('/logout')}"><button id="logout">Log out</button></form>
<a id="another" href="${another}">another account</a>
<p>Chat: <b id="chat">closed</b> <b id="code"></b> <button id="open">Open</button><ol id="heard"></ol>
<script>
  const show = (id, text) => { document.getElementById(id).textContent = text }
  document.getElementById('open').onclick = () => {
    const socket = new WebSocket(location.href.replace(/^http/, 'ws'))
    let timer
    socket.onopen = () => {
      show('chat', 'open')
      socket.send('tick')
      timer = setInterval(() => socket.send('tick'), 1000)
    }
    socket.onmessage = ({ data }) => {
      const line = document.createElement('li')
      line.textContent = data
      document.getElementById('heard').append(line)
    }
    socket.onclose = ({ code, reason }) => {
      clearInterval(timer)
      window.closedAt = Date.now()
      show('chat', 'closed')
      show('code', code + ' ' + reason)
    }
  }
</script>
`
}
