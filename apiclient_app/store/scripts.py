"""What Redis does in one step, by its own clock: the calls of all workers, in one row."""

# By the clock of Redis, in microseconds.
COMMON = """
local log, told = KEYS[1], KEYS[2]
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local second, day = 1000000, 86400000000

-- What is no number, or lies far ahead, is another's.
local function sane(text, far)
  local number = tonumber(text or 0)
  return number and number <= now + far and number or 0
end
local function digits(number) return string.format('%.0f', number) end

-- Have a key live for so long at least: others, with other limits, may need it for longer.
local function live(key, microseconds)
  local life = math.ceil(microseconds / 1000) + 1
  if redis.call('PTTL', key) < life then redis.call('PEXPIRE', key, life) end
end

local known = redis.call('HMGET', told, 'left', 'until', 'held', 'size', 'sized', 'now')
if (tonumber(known[6] or 0) or 0) > now + second then  -- the clock was put back
  redis.call('DEL', log, told)
  known = {}
end
local held = sane(known[3], day)
"""

ADMIT = f"""{COMMON}
local slots, waiting = KEYS[3], KEYS[4]
local longest, most, lease = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local owner, process, waited = ARGV[4], ARGV[5], ARGV[6] == '1'

local left, fresh = tonumber(ARGV[7]), now + tonumber(ARGV[8])
local remaining, ends = tonumber(known[1] or -1) or -1, sane(known[2], day)
if ends <= now then remaining = -1 end
if left >= 0 then
  if remaining < 0 or fresh > ends + second then remaining, ends = left, fresh end
  remaining = math.min(remaining, left)
  redis.call('HSET', told, 'left', remaining, 'until', digits(ends), 'now', digits(now))
  live(told, ends - now)
end

if most > 0 then
  for owed in string.gmatch(ARGV[9], '%d+') do redis.call('ZREM', slots, owed) end
  redis.call('ZREMRANGEBYSCORE', slots, '-inf', now)
  if not redis.call('ZSCORE', slots, owner) then
    local free = most - redis.call('ZCARD', slots)
    redis.call('ZREMRANGEBYSCORE', waiting, '-inf', now - second)
    local ahead = waited and 0 or redis.call('ZCARD', waiting)
    if free <= ahead then
      redis.call('ZADD', waiting, now, process)
      redis.call('PEXPIRE', waiting, 2000)
      return {{2, 0, redis.call('ZCARD', waiting)}}
    end
    if waited then redis.call('ZREM', waiting, process) end
  end
end

local moment = math.max(now, held)
if remaining == 0 then moment = math.max(moment, ends) end

local size, life = 0, 0
for i = 10, #ARGV, 2 do
  size, life = math.max(size, tonumber(ARGV[i])), math.max(life, tonumber(ARGV[i + 1]))
end
-- Each process may have a call that waits for its moment, each a span after the one before.
local far = day + 100 * life
local length, last = redis.call('LLEN', log), sane(redis.call('LINDEX', log, -1), far)
moment = math.max(moment, last)
local pace = 0
for i = 10, #ARGV, 2 do
  local calls, span = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  if length >= calls then
    local free = sane(redis.call('LINDEX', log, -calls), far) + span
    -- Whoever has to wait goes at the pace of the allowance: those before came all at once, maybe.
    if free > now then
      pace = math.max(pace, span / calls)
      moment = math.max(moment, free, last + span / calls)
    end
  end
end

if moment - now > longest then
  if most > 0 then redis.call('ZREM', slots, owner) end
  return {{1, digits(moment - now), digits(pace)}}
end
if remaining > 0 then redis.call('HSET', told, 'left', remaining - 1) end
if size > 0 then
  local needed = moment - now + life + second
  -- Another deployment may need more of it; until `sized`, if it asks no more.
  local kept, sized = tonumber(known[4] or 0) or 0, tonumber(known[5] or 0) or 0
  if size >= kept or sized < now or kept > 1e7 then kept, sized = size, now + needed end
  redis.call('HSET', told, 'size', kept, 'sized', digits(sized), 'now', digits(now))
  redis.call('RPUSH', log, digits(moment))
  if length >= kept then redis.call('LTRIM', log, -kept, -1) end
  live(log, needed)
  live(told, needed)
end
if most > 0 then
  redis.call('ZADD', slots, digits(moment + lease), owner)
  live(slots, moment - now + lease + 60 * second)
end
return {{0, digits(moment - now), 0}}
"""

HOLD = f"""{COMMON}
local ends = now + tonumber(ARGV[1])
if ends > held then
  redis.call('HSET', told, 'held', digits(ends), 'now', digits(now))
  live(told, ends - now)
end
return 1
"""

# Gives the number of other processes that wait for a slot.
LEAVE = """
redis.call('ZREM', KEYS[1], unpack(ARGV, 2))
return redis.call('ZCARD', KEYS[2]) - (redis.call('ZSCORE', KEYS[2], ARGV[1]) and 1 or 0)
"""
