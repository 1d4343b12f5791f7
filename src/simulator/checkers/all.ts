import type { CheckerFactory } from './checker.js'
import { contextSound } from './context-sound.js'
import { convergence } from './convergence.js'
import { dotUnique } from './dot-unique.js'
import { exactIds } from './exact-ids.js'
import { exactWinner } from './exact-winner.js'
import { killEvidence } from './kill-evidence.js'
import { monotonicReads } from './monotonic-reads.js'
import { monotonicWrites } from './monotonic-writes.js'
import { noLossWithoutKill } from './no-loss-without-kill.js'
import { noResurrection } from './no-resurrection.js'
import { ownWriteVisible } from './own-write-visible.js'
import { readYourWrites } from './read-your-writes.js'
import { writesFollowReads } from './writes-follow-reads.js'

/** Every promise that a simulation watches. */
export const ALL_CHECKERS: readonly CheckerFactory[] = [
  dotUnique,
  ownWriteVisible,
  noResurrection,
  contextSound,
  killEvidence,
  exactWinner,
  exactIds,
  noLossWithoutKill,
  convergence,
  readYourWrites,
  monotonicReads,
  monotonicWrites,
  writesFollowReads,
]
