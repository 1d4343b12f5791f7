/** Scripts that read sessions, and those by principal. */
import { script, type Script } from './script.js'

const VIEW = String.raw`
local function view(b, id)
  local s = key('sessions', id)
  local principal, since = redis.call('HGET', s, 'principal'), nil
  if principal then
    since = string.match(redis.call('HGET', b, 'r:' .. PRINCIPAL) or '', '^%d+')
    if tonumber(since or '0') <= revokedAt(principal) then return { 'none', 'gone' } end
  end
  return { 'found', text(now), redis.call('HGETALL', s), since or '' }
end
`

/** What the key of an id holds. KEYS session. */
export const LOAD: Script = script(
  'load',
  'reads',
  `${VIEW}${String.raw`
local s = KEYS[1]
local f = redis.call('HMGET', s, 'birth', 'why', 'creationTime')
if not f[1] then return { 'none', 'unknown' } end
if f[2] == 'alias' then return { 'alias', f[1], redis.call('PTTL', s) } end
if f[2] or not f[3] then return { 'none', f[2] or 'unknown' } end
local b = key('births', f[1])
local id = redis.call('HGET', b, 'id')
if not id or key('sessions', id) ~= s then return { 'none', 'unknown' } end
return view(b, id)
`}`,
)

/** What a birth names; with an id hash, only if that is one of its ids. KEYS births. ARGV … id hash or nothing. */
export const READ: Script = script(
  'read',
  'reads',
  `${VIEW}${String.raw`
local b, hash = KEYS[1], ARGV[4]
local f = redis.call('HMGET', b, 'id', 'ids')
if not f[1] then return { 'none', redis.call('EXISTS', b) == 1 and 'gone' or 'unknown' } end
if hash ~= '' and not string.find(f[2] or '', hash .. ' ', 1, true) then return { 'none', 'rotated' } end
if redis.call('EXISTS', key('sessions', f[1])) == 0 then return { 'none', 'unknown' } end
return view(b, f[1])
`}`,
)

/** Everything of one session. KEYS births. */
export const EXPORT: Script = script(
  'export',
  'reads',
  String.raw`
local id = redis.call('HGET', KEYS[1], 'id')
if not id then return { 'none' } end
return { 'found', text(now), redis.call('HGETALL', key('sessions', id)), redis.call('HGETALL', KEYS[1]) }
`,
)

/** Attributes before they are merged into: those named and those that merge. KEYS births. ARGV … names. */
export const HELD: Script = script(
  'held',
  'reads',
  String.raw`
local b, out, done = KEYS[1], {}, {}
local f = redis.call('HMGET', b, 'id', 'highest', 'merges')
if not f[1] then return { 'none' } end
local function tell(name)
  if done[name] then return end
  done[name] = true
  local held = redis.call('HMGET', b, 'r:' .. name, 'm:' .. name)
  out[#out + 1] = name
  out[#out + 1] = held[1] or ''
  out[#out + 1] = held[2] or ''
  out[#out + 1] = redis.call('HGET', key('sessions', f[1]), 'sessionAttr:' .. name) or ''
end
for i = 4, #ARGV do tell(ARGV[i]) end
for _, field in ipairs(f[3] and redis.call('HKEYS', b) or {}) do
  if string.sub(field, 1, 2) == 'm:' then tell(string.sub(field, 3)) end
end
return { 'found', text(math.max(tonumber(f[2] or '0') + 1, hlcNow())), out }
`,
)

const BIRTHS = String.raw`
-- Live sessions of a principal in this shard. What the index says is checked, and mended where it is wrong.
local function birthsOf(principal, act)
  local index = indexOf(principal)
  for _, birth in ipairs(redis.call('ZRANGEBYSCORE', index, '(' .. text(now), '+inf')) do
    local b = key('births', birth)
    local id, head = liveOf(birth, b)
    if id and head.principal == principal then act(birth, b, id) else redis.call('ZREM', index, birth) end
  end
end
local function inEachShard(act)
  for i = 1, #KEYS do
    LIVE, shard = KEYS[i], string.match(KEYS[i], '{(%d+)}$')
    act()
  end
end
`

/** KEYS live, of one shard or several. ARGV … principal. */
export const FIND: Script = script(
  'find',
  'changes',
  `${BIRTHS}${String.raw`
local found = {}
inEachShard(function()
  birthsOf(ARGV[4], function(birth) found[#found + 1] = birth end)
end)
return found
`}`,
)

/** KEYS live, of one shard or several. ARGV … principal, dot. */
export const REVOKE: Script = script(
  'revoke',
  'changes',
  `${BIRTHS}${String.raw`
local principal, ended = ARGV[4], {}
local name = redis.sha1hex(principal)
inEachShard(function()
  birthsOf(principal, function(birth, b, id)
    finish(birth, b, id, principal, 'logged-out', ARGV[5])
    ended[#ended + 1] = birth
  end)
  redis.call('DEL', indexOf(principal))
  redis.call('SET', key('revoked', name), text(hlcNow()), 'PX', REMEMBERED_MS)
end)
return ended
`}`,
)
