"""What Redis does in one step, by its own clock: the calls of all workers, in one row."""

# By the clock of Redis, in microseconds.
COMMON = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local day = 86400000000

-- What is no number, or lies far ahead, is another's, or the clock was put back.
local function sane(text)
  local number = tonumber(text or 0)
  return number and number <= now + day and number or 0
end
local function digits(number) return string.format('%.0f', number) end

-- Have a key live for so long at least: others, with other limits, may need it for longer.
local function live(key, microseconds)
  local life = math.ceil(microseconds / 1000) + 1
  if redis.call('PTTL', key) < life then redis.call('PEXPIRE', key, life) end
end
"""

ADMIT = f"""{COMMON}
local log, told, slots, waiting = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local longest, most, lease = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local owner, process, waited = ARGV[4], ARGV[5], ARGV[6] == '1'
local moment = now

if most > 0 then
  for owed in string.gmatch(ARGV[9], '%d+') do redis.call('ZREM', slots, owed) end
  redis.call('ZREMRANGEBYSCORE', slots, '-inf', now)
  if not redis.call('ZSCORE', slots, owner) then
    local free = most - redis.call('ZCARD', slots)
    redis.call('ZREMRANGEBYSCORE', waiting, '-inf', now - 1000000)
    local ahead = waited and 0 or redis.call('ZCARD', waiting)
    if free <= ahead then
      redis.call('ZADD', waiting, now, process)
      redis.call('PEXPIRE', waiting, 2000)
      return {{2, 0, redis.call('ZCARD', waiting)}}
    end
    if waited then redis.call('ZREM', waiting, process) end
  end
end

local left, fresh = tonumber(ARGV[7]), now + tonumber(ARGV[8])
local known = redis.call('HMGET', told, 'left', 'until', 'held', 'size', 'sized')
local remaining, ends = tonumber(known[1] or -1) or -1, sane(known[2])
moment = math.max(moment, sane(known[3]))
if ends <= now then remaining = -1 end
if left >= 0 then
  if remaining < 0 or fresh > ends + 1000000 then remaining, ends = left, fresh end
  if left < remaining then remaining = left end
end
if remaining == 0 then moment = math.max(moment, ends) end

local length, last = redis.call('LLEN', log), sane(redis.call('LINDEX', log, -1))
moment = math.max(moment, last)
local size, life, pace = 0, 0, 0
for i = 10, #ARGV, 2 do
  local calls, span = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  size, life = math.max(size, calls), math.max(life, span)
  if length >= calls then
    local free = sane(redis.call('LINDEX', log, -calls)) + span
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
if remaining >= 0 then
  if remaining > 0 then remaining = remaining - 1 end
  redis.call('HSET', told, 'left', remaining, 'until', digits(ends))
  live(told, ends - now)
end
if size > 0 then
  local needed = moment - now + life + 1000000
  -- Another deployment may need more of it; until `sized`, if it asks no more.
  local kept, sized = tonumber(known[4] or 0) or 0, tonumber(known[5] or 0) or 0
  if size >= kept or sized < now or kept > 1e7 then
    kept = size
    redis.call('HSET', told, 'size', kept, 'sized', digits(now + needed))
  end
  redis.call('RPUSH', log, digits(moment))
  if length >= kept then redis.call('LTRIM', log, -kept, -1) end
  live(log, needed)
  live(told, needed)
end
if most > 0 then
  redis.call('ZADD', slots, digits(moment + lease), owner)
  live(slots, moment - now + lease + 60000000)
end
return {{0, digits(moment - now), 0}}
"""

HOLD = f"""{COMMON}
local told, ends = KEYS[1], now + tonumber(ARGV[1])
if ends > sane(redis.call('HGET', told, 'held')) then
  redis.call('HSET', told, 'held', digits(ends))
  live(told, ends - now)
end
return 1
"""

# Gives the number of other processes that wait for a slot.
LEAVE = """
redis.call('ZREM', KEYS[1], unpack(ARGV, 2))
return redis.call('ZCARD', KEYS[2]) - (redis.call('ZSCORE', KEYS[2], ARGV[1]) and 1 or 0)
"""
