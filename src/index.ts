export { createCluster, type Cluster } from './cluster.js'
export {
  defineConfig,
  type BackendConfig,
  type ClusterConfig,
  type CookieConfig,
  type LimitsConfig,
  type Logger,
  type MemoryBackendConfig,
  type NodeConfig,
  type ReplicatedBackendConfig,
  type SessionConfig,
} from './config-input.js'
export {
  AttributeError,
  BackendError,
  ConfigError,
  HandshakeError,
  LimitError,
  NotReadyError,
  ProtocolError,
  SessionGoneError,
  SessionMeshError,
  SessionNotLoadedError,
} from './errors.js'
export { toPrometheus, type Metrics } from './observe/metrics.js'
export type * from './backend/backend.js'
export type { Duration } from './duration.js'
export type { Session, SessionData, SessionMethods } from './http/session-types.js'
export type { Log } from './log.js'
export type { HealthHandler, HealthHandlers } from './observe/health.js'
export type {
  Attributes,
  AttributeWrite,
  Dot,
  EndReason,
  SessionDelta,
  SessionId,
  SessionRecord,
  SessionRef,
} from './session/session.js'
