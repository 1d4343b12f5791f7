import { metricName } from '../../metric-name.js'
import type { Replica } from '../../replica/replica.js'
import type { Peer } from '../../replica/peer.js'
import type { ReplicaShell } from './shell.js'

type Counters = Readonly<Record<string, number>>

/** What a replicated backend counted so far, by metric name; its transport counts for itself. */
export function countersOf(
  replica: Replica,
  commits: { readonly saves: number; readonly unknown: number },
  shell: ReplicaShell['counts'],
): Counters {
  const { state, roster, sync, pulls } = replica
  return {
    session_mesh_sessions: state.live.size,
    session_mesh_session_bytes: state.bytes,
    session_mesh_kill_records: state.kills.size,
    session_mesh_peers_up: roster.peers.size,
    session_mesh_members: roster.others().length + 1,
    session_mesh_ready: roster.isReady ? 1 : 0,
    session_mesh_saves_total: commits.saves,
    session_mesh_outcome_unknown_total: commits.unknown,
    session_mesh_sync_rounds_total: sync.completed,
    session_mesh_read_waits_total: pulls.counts.waits,
    session_mesh_peers_asked_total: pulls.counts.asked,
    session_mesh_stale_reads_prevented_total: shell.staleReadsPrevented,
    session_mesh_foreign_ids_not_asked_total: pulls.counts.notAsked,
    session_mesh_stale_served_total: pulls.counts.staleServed,
    session_mesh_stale_refused_total: pulls.counts.staleRefused,
    session_mesh_lost_writes_seen_total: pulls.counts.lost,
    session_mesh_conflicts_overtaken_total: state.conflicts.overtaken,
    session_mesh_conflicts_merged_total: state.conflicts.merged,
    session_mesh_deltas_received_total: shell.deltas,
    session_mesh_delta_age_ms_total: shell.deltaAgeMs,
    session_mesh_bad_frames_total: shell.badFrames,
    session_mesh_quarantined_links_total: shell.quarantined,
    ...ofPeers(replica),
  }
}

/** How far each peer and this node are apart, by what they last told each other. */
function ofPeers({ state, roster, nextDot }: Replica): Counters {
  const counters: Record<string, number> = { session_mesh_digests_differing: 0 }
  for (const peer of roster.peers.values()) {
    const ofPeer = (family: string): string => metricName(family, 'peer', peer.member.node)
    const [has, sent] = [peer.row.base(nextDot.actor), nextDot.counter - 1]
    counters[ofPeer('session_mesh_peer_unconfirmed_events')] = sent - has
    counters[ofPeer('session_mesh_peer_missing_events')] = missingFrom(peer, state.context.base(peer.member.actor))
    counters[ofPeer('session_mesh_peer_clock_offset_ms')] = peer.clockOffsetMs ?? 0
    if (peer.digest !== undefined && !state.context.covers(peer.digest.context)) {
      counters['session_mesh_digests_differing'] = (counters['session_mesh_digests_differing'] ?? 0) + 1
    }
  }
  return counters
}

/** Events that the peer made, and told of in its digest, beyond those that are here. */
function missingFrom({ digest, member }: Peer, has: number): number {
  const told = digest?.context.find(({ actor }) => actor === member.actor)?.base ?? 0
  return Math.max(0, told - has)
}
