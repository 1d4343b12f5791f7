/** Where a socket listens or is dialled. IPv6 hosts are held without brackets. */
export interface Address {
  readonly host: string
  readonly port: number
}

const HOST_AND_PORT = /^(\[[0-9A-Fa-f:.]+\]|[^\s:/@[\]]+):(\d{1,5})$/
const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/i
const WILDCARD = /^(?:0\.0\.0\.0|::)$/

/** Reads `host:port` or `[ipv6]:port`. A port of 0 means "any free one". Undefined: not an address. */
export function parseAddress(text: string): Address | undefined {
  const [, host, port] = HOST_AND_PORT.exec(text) ?? []
  if (host === undefined || port === undefined || Number(port) > 65_535) return undefined
  return { host: host.replace(/^\[|\]$/g, '').toLowerCase(), port: Number(port) }
}

/** The one spelling of an address, so that two of them can be compared. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Whether only processes of this machine can reach the host: 127.0.0.0/8, ::1 and localhost. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host)
}

/** Whether listening on the host means listening on every interface. */
export function isWildcard(host: string): boolean {
  return WILDCARD.test(host)
}
