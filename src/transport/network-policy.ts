import { type Address, isLoopback, parseAddress } from '../address.js'
import { MIN_SECRET_BYTES } from './limits.js'

/** The addresses and what protects the links between them. */
export interface NetworkOptions {
  readonly listen: string
  readonly advertise?: string
  readonly peers: readonly string[]
  readonly secrets: readonly string[]
  readonly tls?: unknown
}

/** What forbids these addresses, one line each that says why and how to mend it. Nothing was opened yet. */
export function networkProblems(options: NetworkOptions): readonly string[] {
  const { listen, advertise, peers, secrets, tls } = options
  const named = [['node.listen', listen], ...peers.map((peer) => ['peers', peer])] as [string, string][]
  if (advertise !== undefined) named.push(['node.advertise', advertise])
  const protectedBy = tls !== undefined || (secrets.length > 0 && secrets.every(isLong))
  return named.flatMap(([key, text]) => {
    const address = parseAddress(text)
    if (address === undefined) return [`${key}: not an address (got ${text}, expected host:port)`]
    return protectedBy || isLoopback(address.host) ? [] : [unprotected(key, address, secrets)]
  })
}

function unprotected(key: string, { host }: Address, secrets: readonly string[]): string {
  const isShort = secrets.length > 0
  const what = isShort ? `with a secret shorter than ${MIN_SECRET_BYTES} bytes` : 'without a secret or TLS'
  return (
    `${key}: ${host} can be reached from other machines, and ${what} anybody there could read and end ` +
    `every session; set a secret of at least ${MIN_SECRET_BYTES} bytes or tls, or stay on 127.0.0.1`
  )
}

function isLong(secret: string): boolean {
  return Buffer.byteLength(secret) >= MIN_SECRET_BYTES
}
