/** Scripts for the whole: counting, sweeping, and sessions on their way in from other backends. */
import { script, type Script } from './script.js'

/**
 * Births that are over leave the lists of their shard, each on one node only. Answers how many live, and a sample of
 * their bytes. KEYS live. ARGV … births at most, sample.
 */
export const SWEEP: Script = script(
  'sweep',
  'changes',
  String.raw`
local over = redis.call('ZRANGEBYSCORE', LIVE, '-inf', text(now), 'LIMIT', 0, tonumber(ARGV[4]))
for _, birth in ipairs(over) do
  redis.call('ZREM', LIVE, birth)
  tell('expired', birth, 'expired')
end
local sample, bytes = redis.call('ZRANGE', LIVE, 0, tonumber(ARGV[5]) - 1), 0
for _, birth in ipairs(sample) do
  local s = key('sessions', redis.call('HGET', key('births', birth), 'id') or '')
  for _, field in ipairs(redis.call('HKEYS', s)) do
    if string.sub(field, 1, 12) == 'sessionAttr:' then bytes = bytes + redis.call('HSTRLEN', s, field) end
  end
end
return { redis.call('ZCOUNT', LIVE, '(' .. text(now), '+inf'), #sample, bytes, over }
`,
)

/** Leads an id that was made elsewhere to its session. KEYS session. ARGV … birth, milliseconds to keep it. */
export const ALIAS: Script = script(
  'alias',
  'reads',
  String.raw`
if redis.call('HEXISTS', KEYS[1], 'creationTime') == 1 then return 0 end
redis.call('HSET', KEYS[1], 'birth', ARGV[4], 'why', 'alias')
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1
`,
)

/**
 * Merges what another backend exported, register by register. KEYS births. ARGV … birth, creation, maxLifeMs, touched,
 * highest, whether what is held was looked at, then counted lists: ids (hash, actor, counter), version (actor, counter),
 * registers (name, kind, whether there is a value, value, hlc, actor, counter; one that merges is followed by MERGED, the
 * mark it was computed from, 1, what it is made of). Answers what came of it, whether the session is new here, and whether
 * the keys that lead to it are to be written: ids were added, or its use has come into another half of a day, so that they
 * stay for as long as the session does (`aliasMs` is 24 hours at least).
 */
export const IMPORT: Script = script(
  'import',
  'changes',
  String.raw`
local b, birth = KEYS[1], ARGV[4]
local at = 10
local function list(width)
  local count, items = tonumber(ARGV[at]), {}
  at = at + 1
  for _ = 1, count do
    items[#items + 1] = { unpack(ARGV, at, at + width - 1) }
    at = at + width
  end
  return items
end
local ids, version, registers = list(3), list(2), list(7)

-- One that expired here for want of news was used elsewhere, or the import is over too and refused below.
local dead = redis.call('HGET', b, 'dead')
if dead and dead ~= 'expired' then return { 'dead' } end
local id, head = liveOf(birth, b)
if redis.call('HEXISTS', b, 'dead') == 1 then redis.call('DEL', b) end
local mine = {}
local flat = id and redis.call('HGETALL', b) or {}
for i = 1, #flat, 2 do mine[flat[i]] = flat[i + 1] end
local isNew = not id
local touched = math.min(tonumber(ARGV[7]), now)
head = head or { created = tonumber(ARGV[5]), accessed = touched, idle = INF, life = num(ARGV[6]), principal = false }
local before, usedAt = head.principal, head.accessed

local function covers(actor, counter) return tonumber(mine['v:' .. actor] or '0') >= tonumber(counter) end
local function theirs(actor, counter)
  for _, v in ipairs(version) do
    if v[1] == actor and tonumber(v[2]) >= tonumber(counter) then return true end
  end
  return false
end
local function halfDay(at) return math.floor(at / 43200000) end
local function isMade(i) return registers[i] ~= nil and registers[i][1] == MERGED end

if mine.merges and ARGV[9] == '0' then return { 'conflict' } end
for i, r in ipairs(registers) do
  if isMade(i) and (mine['r:' .. registers[i - 1][1]] or '') ~= r[2] then return { 'conflict' } end
end
local hasNews = false
for _, v in ipairs(version) do hasNews = hasNews or not covers(v[1], v[2]) end
if not isNew and not hasNews then
  if touched > head.accessed then
    head.accessed = touched
    keep(birth, b, key('sessions', id), head)
    redis.call('HSET', key('sessions', id), 'lastAccessedTime', text(touched))
  end
  return { 'known', '0', halfDay(head.accessed) ~= halfDay(usedAt) and '1' or '0' }
end

-- An id of theirs is new unless I had its event; an id of mine goes when they had its event and list it no more.
local kept, primary = {}, nil
local function hold(hash, actor, counter)
  kept[#kept + 1] = hash .. ' ' .. actor .. ' ' .. counter
  if hash == id then primary = hash end
end
for hash, actor, counter in string.gmatch(mine.ids or '', '(%S+) (%d+) (%d+)') do
  local listed = false
  for _, other in ipairs(ids) do listed = listed or (other[2] == actor and other[3] == counter) end
  if listed or not theirs(actor, counter) then hold(hash, actor, counter) end
end
local leads = isNew
for _, other in ipairs(ids) do
  if not covers(other[2], other[3]) then
    hold(other[1], other[2], other[3])
    leads = true
  end
end
if #kept == 0 then return { 'dead' } end
primary = primary or string.match(kept[1], '^%S+')

local w = changesOf(b, key('sessions', id or primary), head, isNew)
head.accessed = math.max(head.accessed, touched)
w.highest = math.max(w.highest, tonumber(ARGV[8]))
local since = tonumber(string.match(mine['r:' .. PRINCIPAL] or '', '^%d+') or '0')
for i, r in ipairs(registers) do
  local name, hlc, actor = r[1], tonumber(r[5]), tonumber(r[6])
  local mark = mine['r:' .. name]
  local isNewer = not isMade(i) and not mark and not covers(r[6], r[7])
  if mark and isMade(i + 1) then
    isNewer = true
  elseif mark then
    local mHlc, mActor = string.match(mark, '^(%d+) (%d+)')
    isNewer = hlc > tonumber(mHlc) or (hlc == tonumber(mHlc) and actor > tonumber(mActor))
  end
  if isNewer then
    put(w, name, r[2], r[3], r[4], hlc, r[6] .. ' ' .. r[7])
    if isMade(i + 1) then putMade(w, name, registers[i + 1][4]) end
    if name == PRINCIPAL then since = hlc end
  end
end
local isRevoked = head.principal and since <= revokedAt(head.principal)
if isRevoked or endOf(head) <= now then
  if id then finish(birth, b, id, before, isRevoked and 'logged-out' or 'expired', 'import') end
  return { 'dead' }
end

if isNew then
  add(w.inS, 'creationTime', text(head.created))
  add(w.inS, 'birth', birth)
  w.outS[#w.outS + 1] = 'why'
  if head.life ~= INF then add(w.inS, 'maxLifeMs', text(head.life)) end
end
add(w.inB, 'id', primary)
add(w.inB, 'ids', table.concat(kept, ';'))
for _, v in ipairs(version) do
  if not covers(v[1], v[2]) then add(w.inB, 'v:' .. v[1], v[2]) end
end
write(w)
if id and id ~= primary then
  redis.call('RENAME', w.s, key('sessions', primary))
  redis.call('HSET', w.s, 'birth', birth, 'why', 'rotated')
  redis.call('PEXPIRE', w.s, FORMER_MS)
end
if before and before ~= head.principal then redis.call('ZREM', indexOf(before), birth) end
keep(birth, b, key('sessions', primary), head)
tell(isNew and 'created' or 'changed', birth)
leads = leads or halfDay(head.accessed) ~= halfDay(usedAt)
return { 'imported', isNew and '1' or '0', leads and '1' or '0' }
`,
)
