-- Begins a store where there is none. KEYS: the mark. ARGV: our schema, a new name for a new store.
-- Gives the schema that is there, the store's name, and the name of the server's run: a server that was started again,
-- or took over from another, may have lost what it had taken last.
if redis.call('HEXISTS', KEYS[1], 'schema') == 0 then
  redis.call('HSET', KEYS[1], 'schema', ARGV[1], 'name', ARGV[2])
end
local told = redis.pcall('INFO', 'server')
local run = type(told) == 'string' and told:match('run_id:(%x+)') or ''
return {redis.call('HGET', KEYS[1], 'schema'), redis.call('HGET', KEYS[1], 'name'), run}
