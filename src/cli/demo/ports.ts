import { randomInt } from 'node:crypto'
import { createServer, type Server } from 'node:net'

/** Below the ports of outgoing connections, so that nobody takes a killed node's port before it is back. */
const FIRST = 20_000
const LAST = 31_999
const TRIES = 200

/** `count` different ports of 127.0.0.1 on which nobody listens right now. */
export async function freePorts(count: number): Promise<number[]> {
  const held: { readonly port: number; readonly server: Server }[] = []
  try {
    for (let tries = 0; held.length < count; tries++) {
      if (tries >= TRIES) throw new Error(`found no ${count} free ports between ${FIRST} and ${LAST}`)
      const port = randomInt(FIRST, LAST + 1)
      const server = await hold(port)
      if (server !== undefined) held.push({ port, server })
    }
    return held.map(({ port }) => port)
  } finally {
    await Promise.all(held.map(({ server }) => new Promise((closed) => server.close(closed))))
  }
}

function hold(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
