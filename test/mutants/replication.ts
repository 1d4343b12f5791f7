/** Rules by which replicas take in events, sessions and whole states of one another. */
import { mutant, one, type Change, type Mutant } from './mutant.js'

const STATE = 'replica/state'
const SESSION = 'replica/sessions/session-state'
const IDS = 'replica/sessions/id-set'
const SYNC = 'replica/sync'
const TRANSFERS = 'replica/transfers'
const SHELVED = 'replica/sessions/shelved-session'

const AGAIN: Change = {
  file: STATE,
  find: `if (this.context.has(dot)) return 'known';
    if (dot.counter !== this.context.base(dot.actor) + 1) return 'gap';`,
  put: `if (dot.counter > this.context.base(dot.actor) + 1) return 'gap';`,
}

const EVENTS: readonly Mutant[] = [
  one('A1', 'an event that arrives again is taken for a gap', STATE,
    `if (this.context.has(dot)) return 'known';`, '', 'scenarios/delivered-again'),
  // Without A1 alone the same is held: A4 and A5 stop whatever is applied a second time.
  mutant('A1 + A5', 'an event that arrives again is applied again', [
    AGAIN,
    { file: STATE, find: 'if (session.includes(event.dot)) return;', put: '' },
  ], 1),
  one('A2', 'an event is applied although earlier ones of its actor are missing', STATE,
    `if (dot.counter !== this.context.base(dot.actor) + 1) return 'gap';`, '', 4),
  one('A3', 'a kill of a session that has not arrived is not kept', STATE,
    'if (session === undefined && this.isDead(kill.birth)) return;', 'if (session === undefined) return;', 1),
  one('A4', 'a write brings a dead session back', STATE,
    'if (held === undefined && this.isDead(event.birth)) {', 'if (false) {', 1),
  one('A5', 'an event is applied to a session that already includes it', STATE,
    'if (session.includes(event.dot)) return;', '', 5),
  one('A6', 'events of a session whose creation has not arrived are thrown away', STATE,
    'const session = held ?? this.live.begin(event.birth);',
    `const session = held ??
       (event.type === 'create' ? this.live.begin(event.birth) : undefined);
     if (session === undefined) return;`, 1),
  one('A6', 'an event does not raise the version of its session', SESSION,
    'include(contents, event.dot); contents.highest', 'contents.highest', 1),
  one('A6', 'the removal of an id that has not arrived is forgotten', IDS,
    'session.removedIds = session.removedIds.concat(dot);', ';', 2),
  one('A6', 'the write that arrives last wins', 'replica/merge/register',
    '!isObject(from.value)) return compareWritten(from, held) > 0 ? from : held;',
    '!isObject(from.value)) return from;', 1),
  one('A6', 'two writes of the same hybrid time are not ordered', 'replica/merge/stamp-order',
    'return a.hlc - b.hlc || a.dot.actor - b.dot.actor;', 'return a.hlc - b.hlc;', 3),
  one('A6', 'a rotation leaves the old id valid', SESSION,
    `if (event.type === 'rotate') dropIds(contents, event.drops, known);`, '', 1),
  one('clock', 'the hybrid clock does not learn from the events of others', STATE,
    'this.clock.observe(event.hlc); switch', 'switch', 2),
]

const FRAGMENTS: readonly Mutant[] = [
  one('F1', 'a fragment brings a dead session back', STATE,
    'if (held === undefined && this.isDead(fragment.birth)) {', 'if (false) {', 1),
  one('F2', 'a fragment overwrites newer attributes', SESSION,
    'const register = joined(held, other);', 'const register = other;', 1),
  one('F2', 'a fragment does not complete a session', SESSION, 'contents.base ??= from.base;', '', 1),
  one('F2', 'a fragment does not raise the version', SESSION,
    'for (const dot of from.version) include(contents, dot);', '', 1),
  one('F3', 'ids that a peer removed stay', IDS,
    'const kept = session.ids.filter((own) => from.ids.some((id) => sameDot(id.dot, own.dot)) || !isGone(own));',
    'const kept = session.ids;', 1),
  one('F3', 'ids that were removed here come back with a fragment', IDS,
    '&& !known.has(dot) && !isIncluded(dot, version) && !isAmong(dot, removedIds);', ';', 1),
  one('F4', 'the birth of a session enters the context before its creation is known', STATE,
    'if (session.isComplete) dots.push(session.birth);', 'dots.push(session.birth);', 11),
  one('F5', 'a session is sent only when one of its attributes is new', SESSION,
    'return ready.version.some((dot) => !since.has(dot)) || ready.removedIds.some((dot) => !since.has(dot));',
    'return this.registers.some((register) => !since.has(register.dot));', 1),
  one('F5', 'a fragment carries only the ids that are new', SESSION, 'highest, ids, removedIds, version, registers: since',
    `highest, ids: since === undefined ? ids : ids.filter((id) => !since.has(id.dot)), removedIds, version,
     registers: since`, 1),
]

const ROUNDS: readonly Mutant[] = [
  one('F6', 'parts of an earlier round with the same peer are taken for parts of this one', SYNC,
    'round.link !== link || round.round !== message.round', 'round.link !== link',
    'scenarios/answers-mixed-up'),
  one('F6', 'parts of any answer of any peer are taken for parts of this one', SYNC,
    `if (round === undefined || round.link !== link || round.round !== message.round) return undefined;
     round.job ??= message.job; return round.job === message.job ? round : undefined;`,
    'return round;', 'scenarios/answers-mixed-up'),
  one('S1', 'parts of two answers to one request are taken for one', SYNC,
    'return round.job === message.job ? round : undefined;', 'return round;', 'scenarios/answers-mixed-up'),
  one('S2', 'a session that dies during an answer is left out', TRANSFERS,
    'if (kill !== undefined) kills.push({ birth, dot: kill.dot, reason: kill.reason });', '',
    'scenarios/death-during-an-answer'),
  one('S3', 'kill records are forgotten during an answer', 'replica/replica',
    'if (this.#transfers.isAnswering) return;', '', 'scenarios/death-during-an-answer'),
  one('S4', 'an answer counts before all of its parts are there', SYNC,
    'if (end === undefined || round.received.size < end.parts) return;', 'if (end === undefined) return;', 3),
  one('S4', 'the end of an answer claims what came after its beginning', TRANSFERS,
    'const { round, context, listLive: live } = job;',
    'const { round, listLive: live } = job; const context = this.#state.context.entries();', 5),
  one('S5', 'the floor of the peer is not taken over', SYNC, 'this.#state.joinFloor(end.floor);', '', 1),
  mutant('S5', 'the end of an answer carries the floor as it was at its beginning', [
    { file: TRANSFERS, find: 'listLive, kills:', put: 'listLive, floor: [...this.#state.floor], kills:' },
    { file: TRANSFERS, find: '[...this.#state.floor].map(', put: 'job.floor.map(' },
  ], 'scenarios/death-during-an-answer'),
  one('S6', 'live sessions are never listed', TRANSFERS,
    'const listLive = [...this.#state.floor].some(([actor, counter]) => !since.hasUpTo(actor, counter));',
    'const listLive = false;', 1),
  one('S6', 'sessions that the peer has never heard of are taken for dead', SYNC,
    'if (claimed.has(session.birth) && !listed.has(session.birth))', 'if (!listed.has(session.birth))', 4),
  one('S7', 'a death that was only inferred is not told to others', STATE,
    'this.kills.set(kill.birth, { ...kill, storedAt: now });',
    'if (kill.dot !== null) this.kills.set(kill.birth, { ...kill, storedAt: now });',
    'scenarios/death-during-an-answer'),
  one('S7', 'an inferred death is believed before the floor that proves it', SYNC,
    'if (kill.dot === null) round.unproven.push(kill);', 'if (false) ;',
    'scenarios/death-learned-without-record'),
  one('S7', 'a look-up answers a death without the floor that proves it', 'replica/pulls',
    'const needsFloor = dead.length > 0 || kills.some((kill) => kill.dot === null);',
    'const needsFloor = false;', 'scenarios/death-learned-by-a-look-up'),
  one('G1', 'a kill record is forgotten before the birth is known', STATE,
    'if (!this.context.has(record.birth)) continue;', '', 6),
  one('G1', 'forgetting a kill record does not raise the floor', STATE,
    'if (record.dot !== null) this.#raiseFloor(record.dot.actor, record.dot.counter);', '', 1),
  one('pack', 'what happens to a session while it is packed is lost', SHELVED,
    'this.#held = contents; this.#home.use(this);', '', 4),
  one('pack', 'what lies packed of a session is taken for what it is after a change', SHELVED,
    'contents.isPacked = false; this.#shelf?.changed(this);', '', 4),
  one('pack', 'whoever looks at a session that another one has ready sees what lies packed', SHELVED,
    'return other === undefined ? undefined : other.#held;', 'return undefined;', 'replica/packed-session'),
  one('pack', 'what a session was while it waited for peers is lost when it ends', SHELVED,
    'this.#isOverdue = this.#pins > 0 ||', 'this.#isOverdue =', 'replica/packed-session'),
  one('pack', 'the number of a session whose bytes moved is not noted', 'replica/sessions/arena',
    'if (owner !== undefined) this.#moved(owner, addressOf(index, number));', '', 4),
  one('pack', 'a packed session forgets which events it includes', 'replica/sessions/packed-session',
    'return { base, highest, ids, removedIds: [], version, registers };',
    'return { base, highest, ids, removedIds: [], version: version.slice(0, 1), registers };', 4),
  one('import', 'a session that was made elsewhere is held and not told to peers', 'replica/replica',
    'const alive = this.state.merge(input.fragment, now);',
    `const { context } = this.state;
     const add = context.add;
     context.add = () => {};
     const alive = this.state.merge(input.fragment, now);
     context.add = add;`, 1),
  one('forget', 'removed attributes are not kept as removed', 'replica/sessions/registers',
    'return registers.length > into.length ? registers.slice() : registers;',
    'return registers.filter((register) => register.value !== null);', 1),
  one('forget', 'versions leave out what all members have', 'replica/replica',
    'if (this.#transfers.isAnswering) return;',
    `if (this.#transfers.isAnswering) return;
     const members = this.roster.others().map(({ actor }) => this.roster.peerOf(actor));
     const isStable = (dot) => this.roster.knowsAll && members.every((peer) => peer?.row.has(dot));
     for (const session of this.state.live.values()) {
       session.version = session.version.filter((dot) => !isStable(dot));
     }`, 1),
]

const DUPLICATES = 'replica/duplicates'
/** Of ids that somebody else made, under which two nodes make a session each; a fifth of the seeds has such. */
const NAMESAKES: readonly Mutant[] = [
  one('namesake', 'of two sessions made under one id both stay', DUPLICATES,
    `if (this.#isOwn(waits)) this.#ends(waits, 'duplicate');`, ';', 10),
  one('namesake', 'whoever hears of two sessions under one id ends the later', DUPLICATES,
    `if (this.#isOwn(waits)) this.#ends(waits, 'duplicate');`, `this.#ends(waits, 'duplicate');`, 18),
  one('namesake', 'a session made under an id for the second time stays for good without its maker', DUPLICATES,
    'elapsedMs(at, now) >= ORPHANED_AFTER_MS &&', 'false &&', 'scenarios/two-births-one-id'),
  one('namesake', 'a logout ends one of the sessions under an id', DUPLICATES,
    'if (OF_ONE.has(reason)) return;', 'return;', 10),
  one('namesake', 'a logout that is heard of ends nothing else that was made under the id', DUPLICATES,
    'if (local || this.#isOwn(holder))', 'if (local)', 10),
  one('namesake', 'what was logged out before its creation arrives ends nothing made under the id', DUPLICATES,
    'if (end !== undefined) this.#endsWith(event.id, end.reason, false);', '', 'scenarios/two-births-one-id'),
  one('namesake', 'a session logged out everywhere takes along what is made under its id later', DUPLICATES,
    'if (holder !== undefined && this.#state.isRevoked(holder))', 'if (false)', 'scenarios/two-births-one-id'),
]

export const REPLICATION: readonly Mutant[] = [...EVENTS, ...FRAGMENTS, ...ROUNDS, ...NAMESAKES]
