export { createCluster, type Cluster } from './cluster.js'
export {
  defineConfig,
  type BackendConfig,
  type ClusterConfig,
  type CookieConfig,
  type DebugConfig,
  type LimitsConfig,
  type Logger,
  type MaxSessionsConfig,
  type MemoryBackendConfig,
  type NodeConfig,
  type RedisBackendConfig,
  type ReplicatedBackendConfig,
  type SessionConfig,
  type TieredBackendConfig,
} from './config/input.js'
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
export { bearer, composite, cookie, header } from './http/carriers/carriers.js'
export { toPrometheus, type Metrics } from './observe/metrics.js'
export type * from './backend/backend.js'
export type { Duration } from './duration.js'
export type { Aliases } from './http/carriers/accounts.js'
export type { AccountsChoice, CarrierChoice, OneCarrier } from './http/carriers/carrier-options.js'
export type { AttributeEvent, AttributeListener } from './http/services/attribute-watch.js'
export type { Explanation } from './http/services/explain.js'
export type { LoggedOut, PrincipalSession } from './http/services/principals.js'
export type { CommitChoice, CommitOutcome, Session, SessionData, SessionMethods } from './http/handle/session-types.js'
export type { BindableSocket, BindOptions, BoundSocket } from './http/sockets/bindable-socket.js'
export type { WebSocketLike, WebSocketOptions, WebSocketServerLike } from './http/sockets/websocket.js'
export type { Log } from './log.js'
export type { HealthHandler, HealthHandlers } from './observe/health.js'
export type {
  ListenOptions,
  SessionChange,
  SessionEnd,
  SessionEventListener,
  SessionEventMap,
} from './observe/session-events.js'
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
