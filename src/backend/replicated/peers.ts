import type { Roster } from '../../replica/roster.js'
import type { PeerHealth } from '../backend.js'

/** The other nodes of the cluster as this one sees them. */
export function peersOf(roster: Roster): readonly PeerHealth[] {
  const up = Array.from(roster.peers.values(), ({ member }) => member)
  const away = roster.others().filter(({ actor }) => roster.peerOf(actor) === undefined)
  return [
    ...up.map(({ node }): PeerHealth => ({ node, address: '', state: 'up' })),
    ...away.map(({ node }): PeerHealth => ({ node, address: '', state: 'down' })),
  ]
}
