#!lua flags=allow-oom
-- Keeps an edition in place of the one of its part, and rings. KEYS: the lease, the editions. ARGV: the part, its version,
-- its fence, its text, the bell. Gives 1, or 0 where somebody has taken the lease since, or there is one as new.
-- What another program has written there counts for nothing.
local function whole(text) return text and text:match('^%d+$') and #text < 17 and tonumber(text) or 0 end
local fence = whole(redis.call('HGET', KEYS[1], 'fence'))
local kept = redis.call('HGET', KEYS[2], ARGV[1])
local version = kept and whole(kept:match('^[^|]*'))
if tonumber(ARGV[3]) < fence or (version and version >= tonumber(ARGV[2])) then return 0 end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2] .. '|' .. ARGV[3] .. '|' .. ARGV[4])
redis.call('PUBLISH', ARGV[5], ARGV[1])
return 1
