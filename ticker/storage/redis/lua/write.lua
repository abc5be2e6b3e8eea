-- Keeps rows and texts, all or nothing: whatever can fail is read first, and then only written.
-- KEYS: the lines there are, the texts, then one history a line. ARGV: how many rows; of each row the place of its
-- history in KEYS and its columns; then the texts by name. Gives how many rows were new.
local COLUMNS = 9
local known, steps = {}, {}

local function plain(price) -- 100.67980 is no other price than 100.6798
  if not price:find('.', 1, true) then return price end
  return (price:gsub('0+$', ''):gsub('%.$', ''))
end

local function tail_of(member) return (member:gsub('^%d+|', '')) end

-- Puts `tail` under a number of its own, in place of what is there.
local function put(key, as_of, revisions, number, tail)
  if revisions[number] then table.insert(steps, {'ZREM', key, revisions[number]}) end
  revisions[number] = string.format('%06d', number - 1) .. '|' .. tail
  table.insert(steps, {'ZADD', key, as_of, revisions[number]})
end

local function keep(key, as_of, seen, fetched, day, kind, archived, price, rest)
  local place = key .. '|' .. as_of
  known[place] = known[place] or redis.call('ZRANGEBYSCORE', key, as_of, as_of)
  local revisions = known[place]
  local tail = table.concat({as_of, seen, fetched, day, kind, archived, price, rest}, '|')
  local last, told, last_fetched = #revisions, false, nil
  for number, member in ipairs(revisions) do
    local its_seen, its_fetched, its_kind, its_price =
      member:match('^%d+|[^|]*|([^|]*)|([^|]*)|[^|]*|([^|]*)|[^|]*|([^|]*)|')
    local ours = its_price ~= nil -- what another program has written is the same as nothing
    local same = ours and plain(its_price) == plain(price) and its_kind == kind
    if same and number == last then -- only noted as seen earlier, where it was
      if tonumber(seen) < tonumber(its_seen) then
        put(key, as_of, revisions, number, (tail_of(member):gsub('^([^|]*|)[^|]*', '%1' .. seen)))
      end
      return 0
    end
    told, last_fetched = told or same, ours and tonumber(its_fetched) or 0
  end
  if last == 0 or tonumber(fetched) >= last_fetched then
    put(key, as_of, revisions, last + 1, tail)
    return 1
  end
  -- What was fetched before the one in force, and comes later, is what a replica knew that was cut off.
  if told then return 0 end
  local above = tail_of(revisions[last])
  put(key, as_of, revisions, last, tail)
  put(key, as_of, revisions, last + 1, above)
  return 1
end

local rows, new = tonumber(ARGV[1]), 0
for row = 0, rows - 1 do
  local at = 2 + row * COLUMNS
  new = new + keep(KEYS[tonumber(ARGV[at])], unpack(ARGV, at + 1, at + COLUMNS - 1))
end
redis.call('SCARD', KEYS[1])
redis.call('HLEN', KEYS[2])

for _, step in ipairs(steps) do redis.call(unpack(step)) end
for place = 3, #KEYS do redis.call('SADD', KEYS[1], KEYS[place]) end
for at = 2 + rows * COLUMNS, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1]) end
return new
