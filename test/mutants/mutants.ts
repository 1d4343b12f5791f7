/**
 * Bugs planted one at a time into the built replica: each takes back one rule of the protocol. A simulator that does
 * not notice one of them proves nothing about the others.
 */
export interface Change {
  /** Below src/, without extension. */
  readonly file: string
  /** A piece of the built JavaScript that occurs exactly once; white space does not count. */
  readonly find: string
  readonly put: string
}

export interface Mutant {
  readonly rule: string
  readonly bug: string
  readonly changes: readonly Change[]
  /** Seeds within which it must be caught. */
  readonly within: number
  /** Why no simulation can tell it from the original. */
  readonly equivalent?: string
}

const STATE = 'replica/state'
const SESSION = 'replica/session-state'
const SYNC = 'replica/sync'
const PULLS = 'replica/pulls'
const EXPIRY = 'replica/expiry'
const ROSTER = 'replica/roster'
const STAMP = 'replica/stamp'

function one(rule: string, bug: string, file: string, find: string, put: string, within = 20): Mutant {
  return { rule, bug, changes: [{ file, find, put }], within }
}

const NOT_AGAIN: Change = {
  file: STATE,
  find: `if (this.context.has(dot)) return 'known'; if (dot.counter !== this.context.base(dot.actor) + 1) return 'gap';`,
  put: `if (dot.counter > this.context.base(dot.actor) + 1) return 'gap';`,
}

const EVENTS: readonly Mutant[] = [
  {
    rule: 'A1',
    bug: 'a duplicate is applied again',
    changes: [NOT_AGAIN],
    within: 20,
    equivalent: 'A4 and A5 stop the second application of every event; see the next one',
  },
  {
    rule: 'A1 + A5',
    bug: 'a duplicate is applied again, also to a session that includes it',
    changes: [NOT_AGAIN, { file: STATE, find: 'if (session.includes(event.dot)) return;', put: '' }],
    within: 50,
  },
  one('A2', 'an event is applied although earlier ones of its actor are missing', STATE,
    `if (dot.counter !== this.context.base(dot.actor) + 1) return 'gap';`, ''),
  one('A3', 'a kill of a session that has not arrived is not kept', STATE,
    'if (session === undefined && this.isDead(kill.birth)) return;', 'if (session === undefined) return;'),
  one('A4', 'a write brings a dead session back', STATE, 'if (this.isDead(event.birth)) {', 'if (false) {'),
  one('A5', 'an event is applied to a session that already includes it', STATE,
    'if (session.includes(event.dot)) return;', '', 50),
  one('A6', 'events of a session whose creation has not arrived are thrown away', STATE,
    'const session = this.live.get(event.birth) ?? this.#hold(event.birth);',
    `const session = this.live.get(event.birth) ?? (event.type === 'create' ? this.#hold(event.birth) : undefined);
     if (session === undefined) return;`),
  one('A6', 'an event does not raise the version of its session', SESSION,
    'this.#include(event.dot); this.highest', 'this.highest'),
  one('LWW', 'the write that arrives last wins', 'replica/merge/register',
    '!isObject(from.value)) return compareWritten(from, held) > 0 ? from : held;', '!isObject(from.value)) return from;'),
  one('LWW', 'two writes of the same hybrid time are not ordered', 'replica/merge/stamp-order',
    'return a.hlc - b.hlc || a.dot.actor - b.dot.actor;', 'return a.hlc - b.hlc;', 200),
  one('HLC', 'the clock does not learn from the events of others', STATE,
    'this.clock.observe(event.hlc); switch', 'switch'),
  one('rmIds', 'the removal of an id that has not arrived is forgotten', SESSION,
    'this.removedIds = [...this.removedIds, dot];', ';', 200),
]

const FRAGMENTS: readonly Mutant[] = [
  one('F1', 'a fragment brings a dead session back', STATE, 'if (this.isDead(fragment.birth)) {', 'if (false) {'),
  one('F2', 'a fragment overwrites newer attributes', SESSION,
    'this.#update(from.registers, joined);', 'this.#update(from.registers, (_own, other) => other);'),
  one('F2', 'a fragment does not complete a session', SESSION, 'this.base ??= from.base;', ''),
  one('F2', 'a fragment does not raise the version', SESSION,
    'for (const dot of from.version) this.#include(dot);', ''),
  one('F3', 'ids that a peer removed stay', SESSION,
    `const kept = this.ids.filter(({ dot }) => from.ids.some((id) => sameDot(id.dot, dot)) ||
      !(theirs(dot) || removedByThem.some((removed) => sameDot(removed, dot))));`,
    'const kept = this.ids;'),
  one('F3', 'ids that were removed here come back with a fragment', SESSION,
    '!known.has(dot) && !this.includes(dot) && !this.removedIds.some((removed) => sameDot(removed, dot));', 'true;', 50),
  one('F5', 'a session is sent only when one of its attributes is new', SESSION,
    'return this.version.some((dot) => !since.has(dot)) || this.removedIds.some((dot) => !since.has(dot));',
    'return this.registers.some((register) => !since.has(register.dot));'),
  one('F5', 'a fragment carries only the ids that are new', SESSION, 'ids: this.ids, removedIds',
    'ids: since === undefined ? this.ids : this.ids.filter((id) => !since.has(id.dot)), removedIds'),
]

const ROUNDS: readonly Mutant[] = [
  {
    rule: 'F6',
    bug: 'parts of an earlier round with the same peer are taken for parts of this one',
    changes: [{ file: SYNC, find: 'round.link !== link || round.round !== message.round', put: 'round.link !== link' }],
    within: 20,
    equivalent: 'a link never outlives an incarnation, so an older answer of one job is whole, and made for less than is here',
  },
  one('F6', 'parts of any answer of any peer are taken for parts of this one', SYNC,
    `if (round === undefined || round.link !== link || round.round !== message.round) return undefined;
     round.job ??= message.job; return round.job === message.job ? round : undefined;`, 'return round;', 100),
  one('S1', 'parts of two answers to one request are taken for one', SYNC,
    'return round.job === message.job ? round : undefined;', 'return round;', 300),
  one('S2', 'a session that dies during an answer is left out', SYNC,
    'if (kill !== undefined) kills.push({ birth, dot: kill.dot, reason: kill.reason });', '', 200),
  one('S3', 'kill records are forgotten during an answer', 'replica/replica', 'if (this.sync.isAnswering) return;', '', 1_000),
  one('S4', 'an answer counts before all of its parts are there', SYNC,
    'if (end === undefined || round.received.size < end.parts) return;', 'if (end === undefined) return;'),
  one('S4', 'the end of an answer claims what came after its beginning', SYNC,
    'const { round, context, listLive: live } = job;',
    'const { round, listLive: live } = job; const context = this.#state.context.entries();', 200),
  one('S5', 'the floor of the peer is not taken over', SYNC, 'this.#state.joinFloor(end.floor);', ''),
  one('S6', 'live sessions are never listed', SYNC,
    'const listLive = [...this.#state.floor].some(([actor, counter]) => !since.hasUpTo(actor, counter));',
    'const listLive = false;'),
  one('S6', 'sessions that the peer has never heard of are taken for dead', SYNC,
    'if (claimed.has(session.birth) && !listed.has(session.birth))', 'if (!listed.has(session.birth))'),
  one('S7', 'a death that was only inferred is not told to others', STATE,
    'this.kills.set(kill.birth, { ...kill, storedAt: now });',
    'if (kill.dot !== null) this.kills.set(kill.birth, { ...kill, storedAt: now });', 1_000),
  one('S7', 'an inferred death is believed before the floor that proves it', SYNC,
    'if (kill.dot === null) round.unproven.push(kill);', 'if (false) ;', 500),
  one('G1', 'a kill record is forgotten before the birth is known', STATE,
    'if (!this.context.has(record.birth)) continue;', '', 200),
  one('G1', 'forgetting a kill record does not raise the floor', STATE,
    'if (record.dot !== null) this.#raiseFloor(record.dot.actor, record.dot.counter);', ''),
  one('9.14', 'removed attributes are not kept as removed', 'replica/registers',
    'return registers ?? into; }', 'return (registers ?? into).filter((register) => register.value !== null); }'),
]

const NODES: readonly Mutant[] = [
  {
    rule: '9.12',
    bug: 'a process that comes back goes on with the actor of the last one',
    changes: [
      { file: 'simulator/node', find: 'const actor = this.#random.actor();', put: 'const actor = (this.fixed ??= this.#random.actor());' },
    ],
    within: 20,
  },
  one('I13', 'a node is ready before it has what its peers had', ROSTER,
    'if (peer.barrier !== undefined && !context.covers(peer.barrier)) return false;', ''),
  one('I13', 'a node that is not ready answers from what it holds', PULLS,
    'return this.#roster.isReady ? this.#answer(lookup, now) : undefined;', 'return this.#answer(lookup, now);', 200),
  {
    rule: 'revoke',
    bug: 'logging out everywhere misses what the one who does it does not hold',
    changes: [
      { file: STATE, find: 'if (this.isRevoked(session)) this.revoked.add(session); else if', put: 'if (false) ; else if' },
      { file: STATE, find: 'if (this.isRevoked(session)) this.revoked.add(session); }', put: '}' },
    ],
    within: 50,
  },
  one('acks', 'a confirmation of all asks nobody', 'replica/concerns',
    `if (concern === 'all')`, `if (concern === 'all') return true; if (concern === 'all')`),
  one('rotate', 'a rotation leaves the old id valid', SESSION, '#dropIds(drops, known) {', '#dropIds(drops, known) { return;'),
]

const BROWSERS: readonly Mutant[] = [
  one('9.13', 'a stamp is covered without its highest time', STAMP,
    'return session.highest >= stamp.highest && missingDots', 'return missingDots', 1_000),
  one('stamp', 'a stamp is never looked at', PULLS, 'if (stamp !== undefined && !isCovered(stamp, session, this.#state.context)) return undefined;', ''),
  one('stamp', 'what any one peer has is taken for stable', STAMP,
    'if (peer === undefined || !peer.row.has(dot)) return false; } return true;',
    'if (peer !== undefined && peer.row.has(dot)) return true; } return roster.others().length === 0;'),
  one('stamp', 'a node that has met nobody takes everything for stable', STAMP, 'if (!roster.knowsAll) return false;', '', 50),
  one('stamp', 'what has no room in a stamp is left out without a word', STAMP,
    'return [...dots.filter((dot) => !isOverflow(dot)).slice(0, dotsMax - 1), OVERFLOW];',
    'return dots.slice(0, dotsMax);', 50),
  one('stamp', 'a stamp leaves out who changed an attribute before others changed the id', SESSION,
    'this.registers.some((register) => isBy(register, actor)) ||', '', 50),
  {
    rule: 'pull',
    bug: 'only one peer is asked',
    changes: [
      {
        file: PULLS,
        find: 'const links = [...this.#roster.peers.keys()];',
        put: 'const links = [...this.#roster.peers.keys()].slice(0, 1);',
      },
    ],
    within: 20,
    equivalent: 'a look-up that one peer cannot help goes on waiting for the events themselves, and says so when it gives up',
  },
  {
    rule: 'ids',
    bug: 'an id is judged by the birth of its session',
    changes: [{ file: 'simulator/exchange', find: 'origin: originOf(made.dot)', put: 'origin: originOf(birth)' }],
    within: 20,
  },
]

const TIMES: readonly Mutant[] = [
  one('9.17', 'a node expires sessions without asking', EXPIRY,
    'if (over.length === 0) return;', `for (const session of over.splice(0)) this.#end(session.birth, 'expired'); return;`, 50),
  one('9.17', 'members that cannot answer are not waited for', ROSTER, 'reachesAll(now) {', 'reachesAll(now) { return true;', 50),
  one('9.17', 'later accesses that peers report are not looked at', EXPIRY, 'this.onTouches(reply.later); for (const { birth } of reply.later) this.#spare(probe, birth, now);', '', 50),
  one('touch', 'touches only leave in the lazy batch', EXPIRY, 'if (at - session.announcedAt > maxIdleMs / 2)', 'if (false)', 1_000),
  one('touch', 'nobody is told of touches', EXPIRY, 'announce(sessions, links) {', 'announce(sessions, links) { return;', 200),
  one('expiry', 'nobody judges idle sessions', EXPIRY, 'else if (this.#isReaper(session, now))', 'else if (false)', 20),
  one('clock', 'what began under a clock that was ahead waits until it has caught up', 'replica/elapsed',
    'return elapsed < -ADJUSTED_MS ? Infinity : elapsed;', 'return elapsed;', 200),
  one('clock', 'accesses from a future that never came are kept', 'replica/replica',
    'if (this.roster.tick(now)) this.#expiry.clockMended(now);', 'this.roster.tick(now);', 1_000),
  one('clock', 'a clock that jumps makes a node forget the others', 'replica/replica', 'this.roster.forgive(jump);', '', 500),
]

export const MUTANTS: readonly Mutant[] = [...EVENTS, ...FRAGMENTS, ...ROUNDS, ...NODES, ...BROWSERS, ...TIMES]
