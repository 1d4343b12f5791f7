/**
 * Words that all scripts share. The one clock is that of Redis: no node's clock decides when a session is over or which write
 * is later. Keys, all of one shard and so of one slot:
 *
 *   <ns>:sessions:{shard}:<id hash>      hash   the session, in Spring Session's layout, under its present id
 *                                        or     `birth` and `why` alone: where an id that is no key leads
 *   <ns>:births:{shard}:<birth>          hash   what the session is: present id, and who wrote what when, for merging
 *                                        or     `dead` alone: it ended, and no import brings it back
 *   <ns>:live:{shard}                    zset   births by the moment they are over
 *   <ns>:principals:{shard}:<sha1>       zset   births of one principal by the moment they are over
 *   <ns>:revoked:{shard}:<sha1>          string hybrid time up to which a principal's sessions are over
 *
 * A session is there when its birth says so and the key of its id is there: losing either (eviction, FLUSHALL) is the
 * end of it, never half of it. (Where nothing is evicted a load relies on the key alone: plain-reads.ts.) In every script the first command that writes decides whether memory is left for the
 * whole: Redis refuses that one or none. So changes begin with HSET, and what must succeed on a full server (an end, a
 * touch) begins with a command that needs no memory.
 */
export const WORDS: string = String.raw`
local ns, shard, origin = ARGV[1], ARGV[2], ARGV[3]
local INF = math.huge
local PRINCIPAL, MAX_IDLE = '\0principal', '\0maxIdleMs'
local REMEMBERED_MS, FORMER_MS = 3600000, 30000
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function num(s) if s == 'inf' then return INF end return tonumber(s) end
local function text(n) if n == INF then return 'inf' end return string.format('%.0f', n) end
local function key(kind, name)
  local k = ns .. ':' .. kind .. ':{' .. shard .. '}'
  if name then return k .. ':' .. name end
  return k
end
local LIVE = key('live')

-- Hybrid time of this moment: milliseconds since 2020 times 2048, plus the fraction of the millisecond.
local function hlcNow()
  return math.max(0, now - 1577836800000) * 2048 + math.floor((time[2] % 1000) * 2.048)
end
local function revokedAt(principal)
  return tonumber(redis.call('GET', key('revoked', redis.sha1hex(principal))) or '-1')
end
`

/** What scripts that change sessions share beside that. */
export const CHANGES: string = String.raw`
local REMOVED_MAX = 1024
local MERGED = '\0merged'
local function indexOf(principal) return key('principals', redis.sha1hex(principal)) end

-- What decides about a session's life, or nil where the key is none.
local function headOf(s)
  local f = redis.call('HMGET', s, 'creationTime', 'lastAccessedTime', 'maxInactiveInterval', 'maxIdleMs', 'maxLifeMs', 'principal', 'birth')
  if not f[1] or not f[2] then return nil end
  local seconds = tonumber(f[3] or '-1')
  local idle = f[4] and tonumber(f[4]) or (seconds < 0 and INF or seconds * 1000)
  return { created = tonumber(f[1]), accessed = tonumber(f[2]), idle = idle,
    life = f[5] and tonumber(f[5]) or INF, principal = f[6], birth = f[7] }
end
local function endOf(head) return math.min(head.accessed + head.idle, head.created + head.life) end

-- Commits that come sooner after a noted access than this do not note another: neither keys nor indexes move.
local function dueOf(head) return head.accessed + math.floor(math.min(1000, math.max(0, head.idle / 20))) end

local function expireAt(k, at)
  if at == INF then redis.call('PERSIST', k) else redis.call('PEXPIREAT', k, text(at)) end
end

-- Keys and indexes go when the session does.
local function keep(birth, b, s, head)
  local at = endOf(head)
  expireAt(s, at)
  expireAt(b, at)
  redis.call('ZADD', LIVE, text(at), birth)
  if head.principal then
    local index = indexOf(head.principal)
    redis.call('ZREMRANGEBYSCORE', index, '-inf', text(now))
    redis.call('ZADD', index, text(at), birth)
    local last = redis.call('ZRANGE', index, -1, -1, 'WITHSCORES')
    if last[2] then expireAt(index, num(last[2])) end
  end
end

-- Best effort: who may not publish still may keep sessions.
local function tell(what, birth, reason)
  redis.pcall('PUBLISH', ns .. ':events', origin .. ' ' .. what .. ' ' .. birth .. ' ' .. (reason or ''))
end

-- The end of a session. For a while its id says so, and its birth refuses imports.
local function finish(birth, b, id, principal, why, by)
  local s = key('sessions', id)
  redis.call('DEL', s)
  redis.call('DEL', b)
  redis.call('HSET', b, 'dead', by)
  redis.call('PEXPIRE', b, REMEMBERED_MS)
  redis.call('HSET', s, 'birth', birth, 'why', 'gone')
  redis.call('PEXPIRE', s, FORMER_MS)
  redis.call('ZREM', LIVE, birth)
  if principal then redis.call('ZREM', indexOf(principal), birth) end
  tell(why == 'expired' and 'expired' or 'destroyed', birth, why)
end

-- The session that a birth names: its id and head. A key that was evicted, or is over, is the end of it; an id that
-- somebody else made may name another session since.
local function liveOf(birth, b)
  local id = redis.call('HGET', b, 'id')
  if not id then return nil end
  local head = headOf(key('sessions', id))
  if head and head.birth ~= birth then
    redis.call('DEL', b)
    redis.call('ZREM', LIVE, birth)
    return nil
  end
  if head and endOf(head) > now then return id, head end
  finish(birth, b, id, head and head.principal, 'expired', 'expired')
  return nil
end

-- Changes are collected, then written: of the session and of its birth.
local function changesOf(b, s, head, isNew)
  local kept = isNew and {} or redis.call('HMGET', b, 'removed', 'highest', 'merges')
  return { b = b, s = s, head = head, isNew = isNew, inB = {}, inS = {}, outB = {}, outS = {}, merges = kept[3],
    removed = tonumber(kept[1] or '0'), highest = tonumber(kept[2] or '0') }
end
local function add(list, field, value) list[#list + 1] = field; list[#list + 1] = value end

local function putAttribute(w, name, present, value)
  local field = 'sessionAttr:' .. name
  local isKnown = not w.isNew and redis.call('HEXISTS', w.b, 'r:' .. name) == 1
  local wasRemoved = isKnown and redis.call('HEXISTS', w.s, field) == 0
  if present == '1' then
    add(w.inS, field, value)
    if wasRemoved then w.removed = w.removed - 1 end
  else
    w.outS[#w.outS + 1] = field
    if not wasRemoved then w.removed = w.removed + 1 end
  end
end

-- One register: its value where people look for it, its stamp at the birth.
local function put(w, name, kind, present, value, hlc, dot)
  if name == PRINCIPAL then
    if present == '1' then
      add(w.inS, 'principal', value)
      add(w.inS, 'principalSince', text(hlc))
    else
      w.outS[#w.outS + 1] = 'principal'
      w.outS[#w.outS + 1] = 'principalSince'
    end
    w.head.principal = present == '1' and value
  elseif name == MAX_IDLE then
    local idle = num(value)
    w.head.idle = idle
    add(w.inS, 'maxInactiveInterval', idle == INF and '-1' or text(math.ceil(idle / 1000)))
    if idle == INF or idle % 1000 == 0 then w.outS[#w.outS + 1] = 'maxIdleMs' else add(w.inS, 'maxIdleMs', text(idle)) end
  else
    putAttribute(w, name, present, value)
    if w.merges then w.outB[#w.outB + 1] = 'm:' .. name end
  end
  add(w.inB, 'r:' .. name, text(hlc) .. ' ' .. dot .. ' ' .. kind)
end

-- What an attribute that merges is made of.
local function putMade(w, name, made)
  if made == '' then return end
  add(w.inB, 'm:' .. name, made)
  add(w.inB, 'merges', '1')
end

local function each(list, act)
  for i = 1, #list, 1000 do act(unpack(list, i, math.min(i + 999, #list))) end
end

-- Removed attributes are remembered so that older copies do not bring them back; not without end.
local function forgetRemoved(w)
  local marks, stamps = redis.call('HGETALL', w.b), {}
  for i = 1, #marks, 2 do
    local name = string.match(marks[i], '^r:(.*)$')
    local isAttribute = name and name ~= PRINCIPAL and name ~= MAX_IDLE
    if isAttribute and redis.call('HEXISTS', w.s, 'sessionAttr:' .. name) == 0 then
      stamps[#stamps + 1] = { marks[i], tonumber(string.match(marks[i + 1], '^%d+')) }
    end
  end
  table.sort(stamps, function(x, y) return x[2] < y[2] end)
  for i = 1, #stamps - REMOVED_MAX / 2 do redis.call('HDEL', w.b, stamps[i][1], 'm' .. string.sub(stamps[i][1], 2)) end
  redis.call('HSET', w.b, 'removed', math.min(#stamps, REMOVED_MAX / 2))
end

local function write(w)
  if w.isNew then add(w.inS, 'version', '1') end
  add(w.inS, 'lastAccessedTime', text(w.head.accessed))
  add(w.inB, 'removed', text(w.removed))
  add(w.inB, 'highest', text(w.highest))
  add(w.inB, 'due', text(dueOf(w.head)))
  each(w.inS, function(...) redis.call('HSET', w.s, ...) end)
  each(w.outS, function(...) redis.call('HDEL', w.s, ...) end)
  each(w.outB, function(...) redis.call('HDEL', w.b, ...) end)
  each(w.inB, function(...) redis.call('HSET', w.b, ...) end)
  if w.removed > REMOVED_MAX then forgetRemoved(w) end
  return w.isNew and 1 or redis.call('HINCRBY', w.s, 'version', 1)
end

-- The registers of a commit start at ARGV[at]: name, kind, whether there is a value, value. One that merges is followed
-- by MERGED, the mark it was computed from, 1, what it is made of. Whether somebody else wrote one of those meanwhile:
local function conflicts(b, at)
  for i = at, #ARGV, 4 do
    if ARGV[i] == MERGED and (redis.call('HGET', b, 'r:' .. ARGV[i - 4]) or '') ~= ARGV[i + 1] then return true end
  end
  return false
end

-- Written now, by 'dot'.
local function putAll(w, at, dot)
  w.highest = math.max(w.highest + 1, hlcNow())
  for i = at, #ARGV, 4 do
    if ARGV[i] == PRINCIPAL and ARGV[i + 2] == '1' then w.highest = math.max(w.highest, revokedAt(ARGV[i + 3]) + 1) end
  end
  for i = at, #ARGV, 4 do
    if ARGV[i] == MERGED then putMade(w, ARGV[i - 4], ARGV[i + 3])
    else put(w, ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], w.highest, dot) end
  end
  local actor, counter = string.match(dot, '^(%d+) (%d+)$')
  add(w.inB, 'v:' .. actor, counter)
end
`
