/**
 * Scripts that change one session, one per commit. All of them can be repeated: a node that lost its connection before
 * the answer runs the same script again, and gets the answer it missed.
 */
import { PLAIN_COMMIT, PLAIN_CREATE, plainFirst } from './plain.js'
import { script, type Script } from './script.js'

/**
 * KEYS births. ARGV … birth, id hash, maxIdleMs, maxLifeMs, `plain` (lua/plain.ts), registers. An id that somebody else made may be that of a
 * session already: then `gone`, and whose it is.
 */
export const CREATE: Script = script(
  'create',
  'changes',
  String.raw`
local b, birth, id = KEYS[1], ARGV[4], ARGV[5]
local held = redis.call('HGET', b, 'id')
if held == id then return { 'done', redis.call('HGET', key('sessions', id), 'version') } end
local holder = redis.call('HMGET', key('sessions', id), 'birth', 'creationTime')
if holder[2] then return { 'gone', holder[1] } end

local s, dot, life = key('sessions', id), string.gsub(birth, ':', ' '), num(ARGV[7])
local w = changesOf(b, s, { created = now, accessed = now, idle = INF, life = life, principal = false }, true)
add(w.inS, 'creationTime', text(now))
add(w.inS, 'birth', birth)
if holder[1] then w.outS[1] = 'why' end
if life ~= INF then add(w.inS, 'maxLifeMs', text(life)) end
add(w.inB, 'id', id)
add(w.inB, 'ids', id .. ' ' .. dot)
put(w, MAX_IDLE, '0', '1', ARGV[6], 0, dot)
putAll(w, 9, dot)
local version = write(w)
keep(birth, b, s, w.head)
tell('created', birth)
return { 'done', version }
`,
  plainFirst(PLAIN_CREATE, 8),
)

/**
 * Save, and rotation where an id is given. KEYS births. ARGV … birth, dot, new id hash or nothing, `plain` where all
 * registers set attributes that do not merge, registers. A node's commits to one session are taken in the order of their
 * dots, so that the last one says what is included: one that was overtaken is a `conflict`, and comes again with a later
 * dot.
 */
export const COMMIT: Script = script(
  'commit',
  'changes',
  String.raw`
local b, birth, dot, newId = KEYS[1], ARGV[4], ARGV[5], ARGV[6]
local id, head = liveOf(birth, b)
if not id then return { 'gone' } end
local s = key('sessions', id)
if id == newId then return { 'done', redis.call('HGET', s, 'version') } end
local actor, counter = string.match(dot, '^(%d+) (%d+)$')
local last = tonumber(redis.call('HGET', b, 'v:' .. actor) or '0')
if last == tonumber(counter) then return { 'done', redis.call('HGET', s, 'version') } end
if last > tonumber(counter) or conflicts(b, 8) then return { 'conflict' } end

local before = head.principal
local w = changesOf(b, s, head)
head.accessed = now
putAll(w, 8, dot)
local version = write(w)
if before and before ~= head.principal then redis.call('ZREM', indexOf(before), birth) end
if newId ~= '' then
  local to = key('sessions', newId)
  redis.call('RENAME', s, to)
  redis.call('HSET', b, 'id', newId, 'ids', newId .. ' ' .. dot)
  redis.call('HSET', s, 'birth', birth, 'why', 'rotated')
  redis.call('PEXPIRE', s, FORMER_MS)
  s, id = to, newId
end
if endOf(head) > now then
  keep(birth, b, s, head)
  tell(newId == '' and 'changed' or 'rotated', birth)
else
  finish(birth, b, id, head.principal, 'expired', dot)
end
return { 'done', version }
`,
  plainFirst(PLAIN_COMMIT, 7),
)

/**
 * KEYS births. ARGV … birth, dot, reason. A session that is not here may be on its way here from another backend: its end
 * is noted, so that it is refused. Deleting first needs no memory.
 */
export const DESTROY: Script = script(
  'destroy',
  'changes',
  String.raw`
local b, birth, dot = KEYS[1], ARGV[4], ARGV[5]
if redis.call('HGET', b, 'dead') == dot then return { 'done' } end
local id, head = liveOf(birth, b)
if not id then
  redis.call('DEL', b)
  redis.call('HSET', b, 'dead', dot .. ' gone')
  redis.call('PEXPIRE', b, REMEMBERED_MS)
  return { 'gone' }
end
finish(birth, b, id, head.principal, ARGV[6], dot)
return { 'done' }
`,
)

/** KEYS births. ARGV … birth, milliseconds since the access. */
export const TOUCH: Script = script(
  'touch',
  'changes',
  String.raw`
local b, birth = KEYS[1], ARGV[4]
local id, head = liveOf(birth, b)
if not id then return 0 end
local at = now - tonumber(ARGV[5])
if at <= head.accessed then return 0 end
head.accessed = at
keep(birth, b, key('sessions', id), head)
redis.call('HSET', key('sessions', id), 'lastAccessedTime', text(at))
return 1
`,
)
