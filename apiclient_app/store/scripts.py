"""What Redis does in one step, by its own clock: the calls of all workers, in one row."""

ADMIT = """
local log, told, slots = KEYS[1], KEYS[2], KEYS[3]
local longest, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local lease, owner = tonumber(ARGV[3]), ARGV[4]
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local moment = now

if most > 0 then
  redis.call('ZREMRANGEBYSCORE', slots, '-inf', now)
  if redis.call('ZCARD', slots) >= most then return {2, 0} end
end

local left, fresh = tonumber(ARGV[5]), now + tonumber(ARGV[6])
local known = redis.call('HMGET', told, 'left', 'until')
local remaining, ends = tonumber(known[1] or -1), tonumber(known[2] or 0)
if ends <= now then remaining = -1 end
if left >= 0 then
  if remaining < 0 or fresh > ends + 1000000 then remaining, ends = left, fresh end
  if left < remaining then remaining = left end
end
if remaining == 0 then moment = ends end

local length = redis.call('LLEN', log)
if length > 0 then moment = math.max(moment, tonumber(redis.call('LINDEX', log, -1))) end
local size, life = 0, 0
for i = 7, #ARGV, 2 do
  local calls, span = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  size, life = math.max(size, calls), math.max(life, span)
  if length >= calls then
    moment = math.max(moment, tonumber(redis.call('LINDEX', log, -calls)) + span)
  end
end

if moment - now > longest then return {1, string.format('%.0f', moment - now)} end
if remaining >= 0 then
  if remaining > 0 then remaining = remaining - 1 end
  redis.call('HSET', told, 'left', remaining, 'until', string.format('%.0f', ends))
  redis.call('PEXPIRE', told, math.ceil((ends - now) / 1000) + 1)
end
if size > 0 then
  redis.call('RPUSH', log, string.format('%.0f', moment))
  if length >= size then redis.call('LPOP', log) end
  redis.call('PEXPIRE', log, math.ceil((moment - now + life) / 1000) + 1000)
end
if most > 0 then
  redis.call('ZADD', slots, string.format('%.0f', moment + lease), owner)
  redis.call('PEXPIRE', slots, math.ceil((moment - now + lease) / 1000) + 60000)
end
return {0, string.format('%.0f', moment - now)}
"""

HOLD = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local ends = now + tonumber(ARGV[1])
if ends > tonumber(redis.call('HGET', KEYS[1], 'until') or 0) or
   redis.call('HGET', KEYS[1], 'left') ~= '0' then
  redis.call('HSET', KEYS[1], 'left', 0, 'until', string.format('%.0f', ends))
  redis.call('PEXPIRE', KEYS[1], math.ceil((ends - now) / 1000) + 1)
end
return 1
"""

LEAVE = "return redis.call('ZREM', KEYS[1], ARGV[1])"
