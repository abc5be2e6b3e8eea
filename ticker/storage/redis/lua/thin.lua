-- Lets go of market prices that are not the last of their stretch, a page at a time. KEYS: a history. ARGV: where to
-- begin, before which moment, a stretch. Gives how many went, and where to go on, or nothing at the end.
local PAGE = 500
local every, gone, last = tonumber(ARGV[3]), {}, nil
local page = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], '(' .. ARGV[2], 'LIMIT', 0, PAGE)
for _, row in ipairs(page) do
  local as_of, kind = row:match('^%d+|([^|]*)|[^|]*|[^|]*|[^|]*|([^|]*)|')
  if as_of and kind ~= 'fixing' then
    local stop = string.format('(%.0f', (math.floor(tonumber(as_of) / every) + 1) * every)
    if redis.call('ZCOUNT', KEYS[1], '(' .. as_of, stop) > 0 then table.insert(gone, row) end
  end
  last = as_of or last
end
if #gone > 0 then redis.call('ZREM', KEYS[1], unpack(gone)) end
if #page < PAGE then return {#gone, ''} end
-- Of the last moment there may be more revisions on the next page.
return {#gone, not last and '' or last == ARGV[1] and '(' .. last or last}
