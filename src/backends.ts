/** For moving sessions by program, and for stores that session-mesh has no backend of its own for. */
export type * from './backend/backend.js'
export { importConnectRedis, type ConnectRedisOptions, type ImportedRecords } from './backend/foreign/connect-redis.js'
export { ForeignBackend, type ForeignBackendOptions } from './backend/foreign/foreign.js'
export type { ForeignStore } from './backend/foreign/store-calls.js'
export { copySessions, countDifferences, migrate, type CopyOptions, type Progress } from './backend/tiered/copy.js'
export { Migration, type MigrationOptions, type MigrationPhase } from './backend/tiered/migration.js'
export { TieredBackend, type TieredOptions } from './backend/tiered/tiered.js'
