/** What a redis-server says of itself: one INFO, without a client library. */
import { once } from 'node:events'
import { connect } from 'node:net'

/** The numbers of one section of INFO, by their names there. */
export async function redisInfo(port: number, section: 'stats' | 'memory'): Promise<ReadonlyMap<string, number>> {
  const socket = connect({ host: '127.0.0.1', port })
  try {
    await once(socket, 'connect')
    socket.write(`INFO ${section}\r\n`)
    let text = ''
    for await (const bytes of socket) {
      text += String(bytes)
      const [, length] = /^\$(\d+)\r\n/.exec(text) ?? []
      if (length !== undefined && text.length >= text.indexOf('\n') + 1 + Number(length)) break
    }
    return new Map([...text.matchAll(/^([a-z_]+):([\d.]+)\r?$/gm)].map(([, name = '', value]) => [name, Number(value)]))
  } finally {
    socket.destroy()
  }
}
