-- Keeps rows and texts, all or nothing: whatever can fail is read first, and then only written.
-- KEYS: the lines there are, the texts, then one history a line. ARGV: how many rows; of each row the place of its
-- history in KEYS and its columns; then the texts by name. Gives how many rows were new.
local COLUMNS = 8

local function plain(price) -- 100.67980 is no other price than 100.6798
  if not price:find('.', 1, true) then return price end
  return (price:gsub('0+$', ''):gsub('%.$', ''))
end

local rows, last, steps, new = tonumber(ARGV[1]), {}, {}, 0
for row = 0, rows - 1 do
  local at = 2 + row * COLUMNS
  local key = KEYS[tonumber(ARGV[at])]
  local as_of, seen, day, kind, archived, price, rest = unpack(ARGV, at + 1, at + COLUMNS - 1)
  local place = key .. '|' .. as_of
  local old = last[place] or redis.call('ZREVRANGEBYSCORE', key, as_of, as_of, 'LIMIT', 0, 1)[1]
  local revision = -1
  if old then
    local number, old_seen, old_kind, old_price = old:match('^(%d+)|[^|]*|([^|]*)|[^|]*|([^|]*)|[^|]*|([^|]*)|')
    revision = tonumber(number)
    if plain(old_price) == plain(price) and old_kind == kind then
      if tonumber(seen) < tonumber(old_seen) then -- only noted as seen earlier, where it was
        local earlier = old:gsub('^(%d+|[^|]*|)[^|]*', '%1' .. seen)
        last[place] = earlier
        table.insert(steps, {'ZREM', key, old})
        table.insert(steps, {'ZADD', key, as_of, earlier})
      end
      revision = nil
    end
  end
  if revision then
    local head = string.format('%06d', revision + 1)
    last[place] = table.concat({head, as_of, seen, day, kind, archived, price, rest}, '|')
    table.insert(steps, {'ZADD', key, as_of, last[place]})
    new = new + 1
  end
end
redis.call('SCARD', KEYS[1])
redis.call('HLEN', KEYS[2])

for _, step in ipairs(steps) do redis.call(unpack(step)) end
for place = 3, #KEYS do redis.call('SADD', KEYS[1], KEYS[place]) end
for at = 2 + rows * COLUMNS, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1]) end
return new
