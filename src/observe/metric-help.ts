/**
 * What every metric means, in one sentence: its HELP in the text format, and its line in docs/metrics.md. A test finds
 * metrics that are missing here, and lines here that no metric has.
 */

/** Metrics that are read together. */
export interface MetricGroup {
  readonly title: string
  /** By name, what it means in one sentence. */
  readonly metrics: Readonly<Record<string, string>>
}

export const METRIC_GROUPS: readonly MetricGroup[] = [
  {
    title: 'The node',
    metrics: {
      session_mesh_sessions: 'Sessions held by this node.',
      session_mesh_session_bytes: 'Bytes of their attribute values; divided by the sessions, the size of one.',
      session_mesh_ready: '1 while this node may serve every session.',
      session_mesh_uptime_seconds: 'Seconds since this node was opened.',
      session_mesh_peers: 'Other nodes that are known.',
      session_mesh_peers_up: 'Other nodes with a link.',
      session_mesh_members: 'Nodes that count as members, this one included.',
    },
  },
  {
    title: 'Requests',
    metrics: {
      session_mesh_http_sessions_found_total: 'Requests that came with a session that was found.',
      session_mesh_http_sessions_stale_total: 'Of these, served although their browser may have seen newer data elsewhere.',
      session_mesh_http_sessions_not_found_total: 'Requests that came with an id of no session, by why.',
      session_mesh_http_not_ready_total: 'Requests answered 503 because the node was not ready.',
      session_mesh_http_load_failures_total: 'Requests whose session could not be loaded.',
      session_mesh_http_sessions_created_total: 'Sessions begun by requests.',
      session_mesh_http_commits_total: 'Changes of sessions by requests.',
      session_mesh_http_touches_total: 'Accesses noted without a change.',
      session_mesh_http_commits_unknown_total: 'Changes made here, but not confirmed by as many nodes as asked for in time.',
      session_mesh_http_commits_gone_total: 'Changes that came to nothing because the session had ended.',
      session_mesh_http_commit_failures_total: 'Changes that failed.',
      session_mesh_http_late_commit_failures_total: 'Of changes after the headers were sent, those that failed at the end.',
      session_mesh_http_writes_dropped_total: 'Changes that could not be kept, by why.',
      session_mesh_http_values_undecodable_total: 'Attributes that could not be read: written by something else.',
      session_mesh_http_sockets_bound: 'Sockets bound to a session now.',
      session_mesh_http_sockets_bound_total: 'Sockets bound to a session so far.',
      session_mesh_http_sockets_ended_total: 'Sockets closed because their session ended.',
      session_mesh_http_sockets_refused_total: 'Sockets that came without an acceptable session.',
    },
  },
  {
    title: 'The store of express-session',
    metrics: {
      session_mesh_store_creates_total: 'Sessions that express-session began.',
      session_mesh_store_saves_total: 'Saves by express-session that changed something.',
      session_mesh_store_saves_unchanged_total: 'Saves that changed nothing, and were only accesses.',
      session_mesh_store_saves_gone_total: 'Saves of sessions that had ended: not brought back.',
      session_mesh_store_ids_in_use_total: 'New sessions whose id belonged to somebody else.',
    },
  },
  {
    title: 'Backends',
    metrics: {
      session_mesh_loads_total: 'Sessions looked up.',
      session_mesh_saves_total: 'Changes taken by the backend.',
      session_mesh_outcome_unknown_total: 'Commits whose outcome is unknown: not confirmed in time.',
      session_mesh_sessions_created_total: 'Sessions made by this node.',
      session_mesh_sessions_saved_total: 'Sessions changed by this node.',
      session_mesh_sessions_rotated_total: 'Sessions that got a new id.',
      session_mesh_sessions_ended_total: 'Sessions ended, for whatever reason.',
      session_mesh_sessions_expired_total: 'Sessions ended because they were idle for too long.',
      session_mesh_sessions_refused_total: 'Sessions not made because the node holds as many as it may.',
    },
  },
  {
    title: 'Replication: staleness and lag',
    metrics: {
      session_mesh_read_waits_total: 'Look-ups that had to wait for what was not here yet.',
      session_mesh_peers_asked_total: 'Times that it did not come by itself, and the peers were asked.',
      session_mesh_stale_reads_prevented_total: 'Of those that waited, those that then had everything their browser had seen.',
      session_mesh_stale_served_total: 'Look-ups that waited in vain and were served what is held, marked as stale.',
      session_mesh_stale_refused_total: 'Look-ups that waited in vain and were answered 503.',
      session_mesh_lost_writes_seen_total: 'Browsers that had seen a write which no node has any more.',
      session_mesh_foreign_ids_not_asked_total: "Look-ups of ids that others make, not asked about to keep a flood small.",
      session_mesh_conflicts_overtaken_total: 'Writes of peers that a later one of this node replaced, neither knowing of the other.',
      session_mesh_conflicts_merged_total: 'Such writes to counters, maxima and sets: both count.',
      session_mesh_deltas_received_total: 'Deltas received from peers.',
      session_mesh_delta_age_ms_total:
        'Milliseconds from the last event of each delta until it was received, added up; divided by the deltas, the lag.',
      session_mesh_peer_unconfirmed_events: 'Events of this node that the peer is not known to have, by its last word.',
      session_mesh_peer_missing_events: 'Events that the peer told of and this node does not have.',
      session_mesh_peer_clock_offset_ms: "The peer's wall clock minus this node's, when it last told.",
      session_mesh_digests_differing: 'Peers whose last digest had something that this node lacks.',
      session_mesh_sync_rounds_total: 'Rounds in which this node got from a peer what it lacked.',
      session_mesh_kill_records: 'Ended sessions that are still remembered one by one.',
    },
  },
  {
    title: 'Links',
    metrics: {
      session_mesh_links_up: 'Connections to peers.',
      session_mesh_frames_sent_total: 'Messages sent to peers.',
      session_mesh_frames_received_total: 'Messages received from peers.',
      session_mesh_sent_bytes_total: 'Bytes of these, with their seals.',
      session_mesh_received_bytes_total: 'Bytes of messages received.',
      session_mesh_peer_sent_bytes_total: 'Bytes sent, by peer.',
      session_mesh_peer_received_bytes_total: 'Bytes received, by peer.',
      session_mesh_queue_drops_total: 'Messages dropped because the queue to a peer was full; a sync round makes up for them.',
      session_mesh_refused_handshakes_total: 'Connections refused in the handshake, by rule.',
      session_mesh_protocol_errors_total: 'Frames that broke the protocol, by rule; each closed its connection.',
      session_mesh_frame_handler_errors_total: 'Frames that this node failed to handle: a bug.',
      session_mesh_bad_frames_total: 'Frames that could not be read or handled.',
      session_mesh_quarantined_links_total: 'Connections closed because the peer broke a rule that only its events show.',
    },
  },
  {
    title: 'Redis',
    metrics: {
      session_mesh_redis_up: '1 while Redis answers.',
      session_mesh_redis_calls_total: 'Commands sent to Redis.',
      session_mesh_redis_retries_total: 'Of these, sent again.',
      session_mesh_redis_timeouts_total: 'Of these, not answered in time.',
      session_mesh_redis_readonly_total: 'Of these, answered by a replica that takes no writes.',
      session_mesh_redis_circuit_opened_total: 'Times that Redis was taken to be away.',
      session_mesh_touches_failed_total: 'Accesses that Redis could not be told of.',
      session_mesh_replica_reads_total: 'Sessions read from a replica of Redis.',
      session_mesh_replica_behind_total: 'Of these, read again from the primary because the replica was behind.',
    },
  },
  {
    title: 'Two backends as one',
    metrics: {
      session_mesh_far_up: '1 while the far backend answers.',
      session_mesh_far_waiting: 'Sessions with changes that the far backend does not have yet.',
      session_mesh_far_lag_ms: 'How long the oldest of these has been waiting.',
      session_mesh_far_written_total: 'Sessions written to the far backend.',
      session_mesh_far_failures_total: 'Writes to it that failed and are tried again.',
      session_mesh_far_held_up_total: 'Changes answered only once the far backend was no longer behind.',
      session_mesh_far_dropped_total: 'Changes not kept in the queue any more, to be found by the next comparison.',
      session_mesh_far_outcome_unknown_total: 'Commits of which the far backend is not known to have heard.',
      session_mesh_far_reconciliations_total: 'Comparisons of both backends.',
      session_mesh_far_warmed_total: 'Sessions brought from the far backend at start.',
      session_mesh_far_complete: '1 once everything of the far backend is here.',
      session_mesh_far_asked_total: 'Look-ups that asked the far backend because the near one did not know.',
      session_mesh_far_brought_total: 'Of these, sessions brought over.',
      session_mesh_far_refused_total: 'Of these, sessions that had ended here, and stayed so.',
      session_mesh_far_unreachable_total: 'Of these, those that the far backend did not answer.',
      session_mesh_near_hits_total: 'Look-ups answered by the copy in memory.',
      session_mesh_near_misses_total: 'Look-ups that asked the far backend.',
    },
  },
]

const HELP: ReadonlyMap<string, string> = new Map(METRIC_GROUPS.flatMap(({ metrics }) => Object.entries(metrics)))

const FAR = /^session_mesh_far_/

/** The sentence for a metric; what a far backend counts for itself is named after its own metric. */
export function helpFor(family: string): string | undefined {
  const own = HELP.get(family)
  if (own !== undefined || !FAR.test(family)) return own
  const ofFar = HELP.get(family.replace(FAR, 'session_mesh_'))
  return ofFar === undefined ? undefined : `Of the far backend: ${ofFar}`
}

/** Whether it only grows. */
export function isCounter(family: string): boolean {
  return family.endsWith('_total')
}
