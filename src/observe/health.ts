import type { IncomingMessage, ServerResponse } from 'node:http'
import type { BackendHealth } from '../backend/backend.js'

/** Handlers to mount as they are, in Express or on node:http. They tell nothing about any session. */
export interface HealthHandlers {
  /** /healthz: 200 as long as this process answers. */
  readonly live: HealthHandler
  /** /readyz: 200 when every session can be served here, else 503: the load balancer should go elsewhere. */
  readonly ready: HealthHandler
}

export type HealthHandler = (req: IncomingMessage, res: ServerResponse) => void

/** `health` is asked anew for each request. */
export function healthHandlers(health: () => BackendHealth): HealthHandlers {
  return {
    live: (req, res) => {
      const { node } = health()
      sendJson(req, res, 200, { status: 'alive', node })
    },
    ready: (req, res) => {
      const { ready, detail, node, peers } = health()
      const states = Object.fromEntries(peers.map((peer) => [peer.node, peer.state]))
      sendJson(req, res, ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', detail, node, peers: states })
    },
  }
}

/** One JSON answer that nobody caches. */
export function sendJson(req: IncomingMessage, res: ServerResponse, status: number, body: object): void {
  const text = `${JSON.stringify(body)}\n`
  res.statusCode = status
  res.setHeader('Content-Type', 'application/json; charset=utf-8')
  res.setHeader('Content-Length', Buffer.byteLength(text))
  res.setHeader('Cache-Control', 'no-store')
  if (status === 503) res.setHeader('Retry-After', '1')
  res.end(req.method === 'HEAD' ? undefined : text)
}
