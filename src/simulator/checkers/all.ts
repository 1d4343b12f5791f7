import type { CheckerFactory } from './checker.js'
import { ackedSurvives } from './acked-survives.js'
import { activeNotDenied } from './active-not-denied.js'
import { activeNotExpired } from './active-not-expired.js'
import { bounded } from './bounded.js'
import { contextSound } from './context-sound.js'
import { convergence } from './convergence.js'
import { dotUnique } from './dot-unique.js'
import { everyRequestAnswered } from './every-request-answered.js'
import { exactIds } from './exact-ids.js'
import { exactMerge } from './exact-merge.js'
import { exactWinner } from './exact-winner.js'
import { hashAgrees } from './hash-agrees.js'
import { idleExpires } from './idle-expires.js'
import { killEvidence } from './kill-evidence.js'
import { killedNotServed } from './killed-not-served.js'
import { mergeLaws } from './merge-laws.js'
import { monotonicReads } from './monotonic-reads.js'
import { monotonicWrites } from './monotonic-writes.js'
import { noLossWithoutKill } from './no-loss-without-kill.js'
import { noResurrection } from './no-resurrection.js'
import { noneMeansNone } from './none-means-none.js'
import { oldIdNeverAuthenticates } from './old-id-never-authenticates.js'
import { oneIdOneSession } from './one-id-one-session.js'
import { notReadyAsks } from './not-ready-asks.js'
import { ownWriteVisible } from './own-write-visible.js'
import { readYourWrites } from './read-your-writes.js'
import { readyMeansCovered } from './ready-means-covered.js'
import { revokedEnds } from './revoked-ends.js'
import { sequentialReads } from './sequential-reads.js'
import { stampSound } from './stamp-sound.js'
import { unknownUnheard } from './unknown-unheard.js'
import { writesFollowReads } from './writes-follow-reads.js'

/** Every promise that a simulation watches. */
export const ALL_CHECKERS: readonly CheckerFactory[] = [
  dotUnique,
  ownWriteVisible,
  noResurrection,
  contextSound,
  killEvidence,
  exactWinner,
  exactMerge,
  exactIds,
  oneIdOneSession,
  noLossWithoutKill,
  convergence,
  hashAgrees,
  mergeLaws,
  readyMeansCovered,
  stampSound,
  activeNotExpired,
  activeNotDenied,
  idleExpires,
  ackedSurvives,
  killedNotServed,
  oldIdNeverAuthenticates,
  noneMeansNone,
  notReadyAsks,
  unknownUnheard,
  revokedEnds,
  bounded,
  everyRequestAnswered,
  readYourWrites,
  monotonicReads,
  sequentialReads,
  monotonicWrites,
  writesFollowReads,
]
