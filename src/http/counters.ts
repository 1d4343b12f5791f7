/** What one mounted middleware counted so far, by metric name. */
export interface HttpCounters extends Record<string, number> {
  session_mesh_http_sessions_found_total: number
  /** Of these, served although the browser may have seen newer data on another node. */
  session_mesh_http_sessions_stale_total: number
  'session_mesh_http_sessions_not_found_total{why="unknown"}': number
  'session_mesh_http_sessions_not_found_total{why="rotated"}': number
  'session_mesh_http_sessions_not_found_total{why="gone"}': number
  session_mesh_http_not_ready_total: number
  session_mesh_http_load_failures_total: number
  session_mesh_http_sessions_created_total: number
  session_mesh_http_commits_total: number
  session_mesh_http_touches_total: number
  /** Applied, but not confirmed by as many nodes as asked for. */
  session_mesh_http_commits_unknown_total: number
  /** The session had ended meanwhile. */
  session_mesh_http_commits_gone_total: number
  session_mesh_http_commit_failures_total: number
  /** Changes made after the headers were sent that failed to be committed at the end. */
  session_mesh_http_late_commit_failures_total: number
  'session_mesh_http_writes_dropped_total{why="rotated"}': number
  'session_mesh_http_writes_dropped_total{why="late"}': number
  'session_mesh_http_writes_dropped_total{why="headers-sent"}': number
  'session_mesh_http_writes_dropped_total{why="no-carrier"}': number
  session_mesh_http_values_undecodable_total: number
}

export type DropReason = 'rotated' | 'late' | 'headers-sent' | 'no-carrier'

export function newCounters(): HttpCounters {
  return {
    session_mesh_http_sessions_found_total: 0,
    session_mesh_http_sessions_stale_total: 0,
    'session_mesh_http_sessions_not_found_total{why="unknown"}': 0,
    'session_mesh_http_sessions_not_found_total{why="rotated"}': 0,
    'session_mesh_http_sessions_not_found_total{why="gone"}': 0,
    session_mesh_http_not_ready_total: 0,
    session_mesh_http_load_failures_total: 0,
    session_mesh_http_sessions_created_total: 0,
    session_mesh_http_commits_total: 0,
    session_mesh_http_touches_total: 0,
    session_mesh_http_commits_unknown_total: 0,
    session_mesh_http_commits_gone_total: 0,
    session_mesh_http_commit_failures_total: 0,
    session_mesh_http_late_commit_failures_total: 0,
    'session_mesh_http_writes_dropped_total{why="rotated"}': 0,
    'session_mesh_http_writes_dropped_total{why="late"}': 0,
    'session_mesh_http_writes_dropped_total{why="headers-sent"}': 0,
    'session_mesh_http_writes_dropped_total{why="no-carrier"}': 0,
    session_mesh_http_values_undecodable_total: 0,
  }
}
