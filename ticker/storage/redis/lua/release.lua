#!lua flags=allow-oom
-- Lets go of the lease where the holder has it; its fence stays. KEYS: the lease, the living. ARGV: the holder.
redis.call('ZREM', KEYS[2], ARGV[1])
if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then redis.call('HSET', KEYS[1], 'ends', 0) end
