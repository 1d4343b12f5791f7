/** Rules by which nodes serve browsers: members, stamps, look-ups, lifetimes, clocks. */
import { mutant, one, type Mutant } from './mutant.js'

const STATE = 'replica/state'
const SESSION = 'replica/sessions/session-state'
const ANSWERS = 'replica/answers'
const PULLS = 'replica/pulls'
const EXPIRY = 'replica/expiry'
const ROSTER = 'replica/roster'
const READINESS = 'replica/readiness'
const CLOCK = 'replica/own-clock'
const STAMP = 'replica/stamp'
const REPLICA = 'replica/replica'

const NODES: readonly Mutant[] = [
  one('actor', 'a process that comes back goes on with the actor of the last one', 'simulator/node',
    'const actor = this.#random.actor();', 'const actor = (this.fixed ??= this.#random.actor());', 1),
  one('ready', 'a node is ready before it has what its peers had', READINESS,
    'else if (!context.covers(peer.barrier)) isCovered = false;', '', 2),
  one('ready', 'a node that is not ready answers from what it holds', PULLS,
    'return this.#roster.isCaughtUp ? this.#answers.now(lookup, now) : undefined;',
    'return this.#answers.now(lookup, now);', 1),
  one('ready', 'a node that became ready in silence has caught up with those it meets later', READINESS,
    'return !this.isReady || (this.#inSilence && this.#met.get(member.node) !== member.actor);',
    'return !this.isReady;', 'scenarios/ready-in-silence'),
  one('ready', 'time in which a starting node has no CPU counts', READINESS,
    'Math.min(Math.max(0, now - this.#livedAt), LIVED_PER_TICK_MS)', 'Math.max(0, now - this.#livedAt)',
    'scenarios/starved-while-starting'),
  mutant('revoke', 'logging out everywhere misses what the one who does it does not hold', [
    {
      file: STATE,
      find: 'if (this.isRevoked(session)) this.revoked.add(session.handle); else if',
      put: 'if (false) ; else if',
    },
    { file: STATE, find: 'if (this.isRevoked(session)) this.revoked.add(session.handle); }', put: '}' },
  ], 6),
  one('confirm', 'a confirmation of all asks nobody', 'replica/concerns',
    `if (concern === 'all')`, `if (concern === 'all') return true; if (concern === 'all')`, 1),
]

const BROWSERS: readonly Mutant[] = [
  one('stamp', 'a stamp is covered without its highest time', STAMP,
    'return session.highest >= stamp.highest && stamp.dots', 'return stamp.dots',
    'scenarios/restored-from-a-snapshot'),
  one('stamp', 'a stamp is never looked at', ANSWERS,
    'if (stamp !== undefined && !isCovered(stamp, session, this.#state.context)) return undefined;', '', 1),
  one('stamp', 'what any one peer has is taken for stable', ROSTER,
    `if (member.state !== 'left' && this.peerOf(member.actor)?.row.has(dot) !== true) return false; } return true;`,
    `if (member.state !== 'left' && this.peerOf(member.actor)?.row.has(dot) === true) return true; }
     return this.others().length === 0;`, 1),
  one('stamp', 'what all others have is taken for stable by who lacks it', STAMP,
    '(context.has(dot) && roster.haveAll(dot))', 'roster.haveAll(dot)', 32),
  mutant('stamp', 'what an unknown process wrote is lost to who reaches nobody', [
    { file: ANSWERS, find: 'if (!this.#roster.reachesAll(now)) return false;', put: '' },
    { file: ANSWERS, find: 'allAnswered && this.#isLost', put: 'this.#isLost' },
  ], 'scenarios/began-while-cut-off'),
  one('stamp', 'a node that has met nobody takes everything for stable', ROSTER,
    'if (!this.knowsAll) return false; for', 'for', 2),
  one('stamp', 'what has no room in a stamp is left out without a word', STAMP,
    'return [...dots.filter((dot) => !isOverflow(dot)).slice(0, dotsMax - 1), OVERFLOW];',
    'return dots.slice(0, dotsMax);', 10),
  one('stamp', 'a stamp leaves out who changed an attribute before others changed the id', SESSION,
    'return registers.some((register) => isBy(register, actor)) ||', 'return', 1),
  one('look-up', 'a session whose creation has not arrived is served', ANSWERS,
    'if (!session.isComplete) return undefined;', '', 'scenarios/known-in-part'),
  one('look-up', 'a session that may be on its way from a maker heard lately is unknown', ANSWERS,
    'const mayExist = origin !== null && this.#roster.wasHeardLately(origin.actorTag, now);',
    'const mayExist = false;', 4),
  one('look-up', 'what was to come by itself is never asked for', PULLS,
    'if (question.open === undefined && elapsedMs(since, now) >= ON_ITS_WAY_MS) this.#askPeers(question);', '',
    'scenarios/on-its-way'),
  one('look-up', 'what was to come by itself is not asked for when the link of its maker ends', PULLS,
    'if (!question.waits.every((wait) => this.#isOnItsWay(wait, now))) this.#askPeers(question);', '',
    'scenarios/on-its-way'),
  one('look-up', 'only one peer is asked', PULLS, 'const links = [...this.#roster.peers.keys()];',
    'const links = [...this.#roster.peers.keys()].slice(0, 1);', 'scenarios/one-peer-knows'),
  one('ids', 'an id is judged by the birth of its session', 'simulator/exchange',
    'origin: originOf(made.dot)', 'origin: originOf(birth)', 1),
]

const TIMES: readonly Mutant[] = [
  one('expiry', 'a node expires sessions without asking', EXPIRY, 'if (over.length === 0) return;',
    `for (const session of over.splice(0)) this.#end(session.birth, 'expired'); return;`, 4),
  one('expiry', 'members that cannot answer are not waited for', ROSTER,
    'reachesAll(now) {', 'reachesAll(now) { return true;', 4),
  one('expiry', 'later accesses that peers report are not looked at', EXPIRY,
    'this.onTouches(reply.later); for (const { birth } of reply.later) this.#spare(probe, birth, now);',
    '', 4),
  one('expiry', 'nobody judges idle sessions', EXPIRY,
    'else if (this.#isReaper(session, now))', 'else if (false)', 4),
  one('touch', 'touches only leave in the lazy batch', EXPIRY,
    'if (at - session.announcedAt > maxIdleMs / 2)', 'if (false)', 'scenarios/access-after-long'),
  one('touch', 'nobody is told of touches', EXPIRY,
    'announce(handles, links) {', 'announce(handles, links) { return;', 'scenarios/later-access-is-announced'),
  one('clock', 'what began under a clock that was ahead waits until it has caught up', 'replica/elapsed',
    'return elapsed < -ADJUSTED_MS ? Infinity : elapsed;', 'return elapsed;', 'scenarios/clock-set-back'),
  one('clock', 'accesses from a future that never came are kept', REPLICA,
    'if (this.roster.tick(now)) this.#expiry.clockMended(now);', 'this.roster.tick(now);',
    'scenarios/clock-set-back'),
  one('clock', 'peers that contradict one another confirm a clock in doubt', CLOCK,
    'else if (this.#isDoubted) {', 'else if (this.#isDoubted && offsets.length < 2) {',
    'scenarios/clock-without-a-majority'),
  one('clock', 'a clock that jumps makes a node forget the others', REPLICA,
    'this.roster.forgive(jump);', '', 'scenarios/clock-set-while-alone'),
]

export const SERVICE: readonly Mutant[] = [...NODES, ...BROWSERS, ...TIMES]
