import { Agent, request } from 'node:http'

export interface Page {
  readonly status: number
  readonly node: string | undefined
  readonly value: unknown
  readonly ms: number
}

const agent = new Agent({ keepAlive: true, maxSockets: 200 })

/** A cookie jar that goes wherever it is told; cookies are host-wide, so all ports of 127.0.0.1 share them. */
export class Browser {
  readonly jar = new Map<string, string>()
  /** false: carries the session id only, as a browser of a cluster without stamps would. */
  readonly #withStamps: boolean

  constructor(withStamps = true) {
    this.#withStamps = withStamps
  }

  async get(port: number, path: string): Promise<Page> {
    const cookie = [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const startedAt = performance.now()
    return await new Promise((resolve, reject) => {
      const outgoing = request({ agent, host: '127.0.0.1', port, path, headers: { cookie }, timeout: 20_000 }, (res) => {
        for (const line of res.headers['set-cookie'] ?? []) this.#keep(line)
        let body = ''
        res.setEncoding('utf8').on('data', (text: string) => (body += text))
        res.on('end', () => {
          const page = parse(body)
          const ms = performance.now() - startedAt
          resolve({ status: res.statusCode ?? 0, node: page.node, value: page.value, ms })
        })
      })
      outgoing.on('timeout', () => outgoing.destroy(new Error(`${path}: no answer within 20 s`)))
      outgoing.on('error', reject)
      outgoing.end()
    })
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(';')
    const at = pair.indexOf('=')
    const name = pair.slice(0, at)
    if (!this.#withStamps && name.includes('.v')) return
    const ended = attributes.some((attribute) => /^\s*max-age=0\s*$/i.test(attribute) || /expires=Thu, 01 Jan 1970/i.test(attribute))
    if (ended) this.jar.delete(name)
    else this.jar.set(name, pair.slice(at + 1))
  }
}

function parse(body: string): { readonly node?: string; readonly value?: unknown } {
  try {
    return JSON.parse(body) as { node?: string; value?: unknown }
  } catch {
    return {}
  }
}
