#!lua flags=allow-oom
-- Says that a holder is alive and gives it the lease where it is free or its own. KEYS: the lease, the living. ARGV: the
-- holder, the lease's length in milliseconds, how many lengths a replica counts as alive, a holder known to be dead.
-- Gives who has the lease, its fence, how many are alive, and who of them has not been heard of for a length of a lease.
-- The time is the server's.
local clock = redis.call('TIME')
local now, ttl = clock[1] * 1000 + math.floor(clock[2] / 1000), tonumber(ARGV[2])
local alive = ttl * ARGV[3]
redis.call('ZADD', KEYS[2], now + alive, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[2], string.format('(%.0f', now + alive), '+inf') -- of a clock that was set back
redis.call('ZREM', KEYS[2], ARGV[4])
local replicas = redis.call('ZCARD', KEYS[2])
local silent = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now + alive - ttl)

local held = redis.call('HMGET', KEYS[1], 'holder', 'fence', 'ends')
-- What another program has written there counts for nothing.
local function whole(text) return text and text:match('^%d+$') and #text < 17 and tonumber(text) or 0 end
local holder, fence, ends = held[1], whole(held[2]), whole(held[3])
if holder and holder ~= ARGV[1] and holder ~= ARGV[4] and now < ends and ends <= now + ttl then
  return {holder, fence, replicas, silent}
end
if holder ~= ARGV[1] or fence == 0 then fence = math.max(fence + 1, now) end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'fence', fence, 'ends', now + ttl)
return {ARGV[1], fence, replicas, silent}
