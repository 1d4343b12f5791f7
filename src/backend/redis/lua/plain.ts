/**
 * What most changes are, in as few steps as Redis lets a script take: they run before the shared words are made, which
 * costs as much as several commands. Whatever is not as it mostly is, they leave untouched, to the script they begin.
 * KEYS and ARGV are those of that script.
 */
const TIMES = String.raw`
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local hlc = math.max(0, now - 1577836800000) * 2048 + math.floor((time[2] % 1000) * 2.048)
  local tag = ':{' .. ARGV[2] .. '}'
`

/** A script that begins with what is mostly all of it. `at`: of the argument that says so. */
export function plainFirst(plain: string, at: number): string {
  return `if ARGV[${at}] == 'plain' then
${PLAIN_WORDS}${plain}
local done = plain()
if done then return done end
end
`
}

const PLAIN_WORDS = String.raw`
local function text(n) return string.format('%.0f', n) end
local function dueAfter(at, idle) return text(at + math.floor(math.min(1000, idle / 20))) end
-- The registers of a commit, from ARGV[at] on: what the session gets, and what its birth.
local function collect(at, inS, inB, mark)
  local n, m = #inS, #inB
  for i = at, #ARGV, 4 do
    inS[n + 1], inS[n + 2] = 'sessionAttr:' .. ARGV[i], ARGV[i + 3]
    inB[m + 1], inB[m + 2] = 'r:' .. ARGV[i], mark .. ARGV[i + 1]
    n, m = n + 2, m + 2
  end
end
`

/** A session of nobody's begins, with attributes that do not merge. */
export const PLAIN_CREATE: string = String.raw`
local function plain()
  local b, birth, id, idle = KEYS[1], ARGV[4], ARGV[5], ARGV[6] ~= 'inf' and tonumber(ARGV[6])
  if not idle or idle <= 0 or idle % 1000 ~= 0 then return nil end
  ${TIMES}
  local s = ARGV[1] .. ':sessions' .. tag .. ':' .. id
  if redis.call('EXISTS', b, s) > 0 then return nil end

  local life = ARGV[7] ~= 'inf' and tonumber(ARGV[7])
  local dot, at, stamp = string.gsub(birth, ':', ' '), text(now), text(math.max(1, hlc))
  local mark = stamp .. ' ' .. dot .. ' '
  local inS = { 'creationTime', at, 'lastAccessedTime', at, 'maxInactiveInterval', text(idle / 1000),
    'birth', birth, 'version', '1' }
  local inB = { 'id', id, 'ids', id .. ' ' .. dot, 'removed', '0', 'highest', stamp, 'due', dueAfter(now, idle),
    'v:' .. ARGV[3], string.sub(dot, #ARGV[3] + 2), 'r:\0maxIdleMs', '0 ' .. dot .. ' 0' }
  if life then inS[11], inS[12] = 'maxLifeMs', ARGV[7] end
  collect(9, inS, inB, mark)
  redis.call('HSET', s, unpack(inS))
  redis.call('HSET', b, unpack(inB))
  local over = text(now + (life and math.min(idle, life) or idle))
  redis.call('PEXPIREAT', s, over)
  redis.call('PEXPIREAT', b, over)
  redis.call('ZADD', ARGV[1] .. ':live' .. tag, over, birth)
  redis.pcall('PUBLISH', ARGV[1] .. ':events', ARGV[3] .. ' created ' .. birth .. ' ')
  return { 'done', 1 }
end
`

/**
 * Attributes that do not merge are set. Where an access was noted a moment ago, neither deadlines nor indexes move:
 * two hashes are looked at and written.
 */
export const PLAIN_COMMIT: string = String.raw`
local function plain()
  local b, birth, dot, mine = KEYS[1], ARGV[4], ARGV[5], 'v:' .. ARGV[3]
  local kept = redis.call('HMGET', b, 'id', 'due', 'highest', 'merges', 'removed', mine)
  local counter = string.sub(dot, #ARGV[3] + 2)
  if not kept[2] or kept[4] or tonumber(kept[6] or '0') >= tonumber(counter) then return nil end
  ${TIMES}
  local s = ARGV[1] .. ':sessions' .. tag .. ':' .. kept[1]
  local head = redis.call('HMGET', s, 'birth', 'version', 'principal', 'maxInactiveInterval', 'maxIdleMs',
    'maxLifeMs', 'creationTime')
  if head[1] ~= birth or not head[2] then return nil end

  hlc = text(math.max(kept[3] + 1, hlc))
  local inS, inB = { 'version', text(head[2] + 1) }, { 'highest', hlc, mine, counter }
  local over, index, left
  if now >= tonumber(kept[2]) then
    local idle = tonumber(head[5] or '') or (tonumber(head[4] or '') or -1) * 1000
    if idle <= 0 then return nil end
    over = head[6] and math.min(now + idle, head[7] + head[6]) or now + idle
    if head[3] then
      index = ARGV[1] .. ':principals' .. tag .. ':' .. redis.sha1hex(head[3])
      left = redis.call('PTTL', index)
      if left == -2 then return nil end
    end
    inS[3], inS[4], inB[5], inB[6] = 'lastAccessedTime', text(now), 'due', dueAfter(now, idle)
  end
  collect(8, inS, inB, hlc .. ' ' .. dot .. ' ')
  local added = redis.call('HSET', s, unpack(inS))
  local marked = redis.call('HSET', b, unpack(inB)) - (kept[6] and 0 or 1)
  -- An attribute that is new to the session and not to its birth had been removed.
  if added ~= marked then redis.call('HSET', b, 'removed', kept[5] - added + marked) end
  if over then
    redis.call('PEXPIREAT', s, text(over))
    redis.call('PEXPIREAT', b, text(over))
    redis.call('ZADD', ARGV[1] .. ':live' .. tag, text(over), birth)
  end
  if index then
    redis.call('ZADD', index, text(over), birth)
    if left >= 0 and left < over - now then redis.call('PEXPIREAT', index, text(over)) end
  end
  redis.pcall('PUBLISH', ARGV[1] .. ':events', ARGV[3] .. ' changed ' .. birth .. ' ')
  return { 'done', head[2] + 1 }
end
`
