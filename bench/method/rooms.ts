/** Whose code a file is, in the words of the report. */
import { COLLECTOR, NATIVE } from './self-times.js'

/** The first that fits counts. */
const ROOMS = [
  ['collector', (url: string) => url === COLLECTOR],
  ['native', (url: string) => url === NATIVE],
  ['nodeCrypto', (url: string) => /^node:(internal\/)?crypto/.test(url)],
  ['nodeHttp', (url: string) => /^node:(internal\/)?(_?http|net|_?stream|url|querystring)/.test(url)],
  ['node', (url: string) => url.startsWith('node:')],
  ['ws', inPackage('ws')],
  ['msgpackr', inPackage('msgpackr')],
  ['redisClient', inPackage('ioredis', 'redis', 'redis-parser', 'redis-errors', 'standard-as-callback', '@redis')],
  ['expressSession', inPackage('express-session', 'connect-redis', 'memorystore', 'cookie-signature', 'uid-safe', 'on-headers')],
  ['express', (url: string) => url.includes('/node_modules/')],
  ['meshHttp', (url: string) => url.includes('/src/http/')],
  ['meshSession', (url: string) => url.includes('/src/session/')],
  ['meshReplica', (url: string) => url.includes('/src/replica/')],
  ['meshTransport', (url: string) => url.includes('/src/transport/')],
  ['mesh', (url: string) => url.includes('/src/')],
  ['application', (): boolean => true],
] as const

export type Room = (typeof ROOMS)[number][0]

export function roomOf(url: string): Room {
  return ROOMS.find(([, fits]) => fits(url))?.[0] ?? 'application'
}

/** Times by url, summed by room. */
export function byRoom(times: Readonly<Record<string, number>>): ReadonlyMap<Room, number> {
  const rooms = new Map<Room, number>()
  for (const [url, us] of Object.entries(times)) rooms.set(roomOf(url), (rooms.get(roomOf(url)) ?? 0) + us)
  return rooms
}

function inPackage(...names: readonly string[]): (url: string) => boolean {
  return (url) => names.some((name) => url.includes(`/node_modules/${name}/`))
}
