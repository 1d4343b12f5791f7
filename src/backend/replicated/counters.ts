import type { Replica } from '../../replica/replica.js'

/** What a replicated backend counted so far, by metric name; its transport counts for itself. */
export function countersOf(
  { state, roster, sync, pulls }: Replica,
  commits: { readonly saves: number; readonly unknown: number },
  frames: { readonly badFrames: number; readonly quarantined: number },
): Readonly<Record<string, number>> {
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
    session_mesh_foreign_ids_not_asked_total: pulls.counts.notAsked,
    session_mesh_stale_served_total: pulls.counts.staleServed,
    session_mesh_stale_refused_total: pulls.counts.staleRefused,
    session_mesh_lost_writes_seen_total: pulls.counts.lost,
    session_mesh_bad_frames_total: frames.badFrames,
    session_mesh_quarantined_links_total: frames.quarantined,
  }
}
