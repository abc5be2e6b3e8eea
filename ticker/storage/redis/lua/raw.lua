-- Every row in force, oldest first: the last revision; of two sources at one moment the preferred; and out of an archive
-- only what no preferred source tells of the same day. KEYS: histories, the preferred first. ARGV: first, end, limit,
-- the zone's offset, a day. Gives where to go on, or nothing at the end, and then the rows.
local PAGE = 250
local limit, offset, day = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local lines = {}
for place, key in ipairs(KEYS) do lines[place] = {key = key, from = ARGV[1], page = {}, at = 1} end

local function moment_of(row) return row:match('^%d+|(%d+)|') or row:match('^%d+|(%-%d+)|') end

-- Without what another program has written there.
local function ours(rows)
  local kept = {}
  for _, row in ipairs(rows) do
    if moment_of(row) then table.insert(kept, row) end
  end
  return kept
end

-- Puts the next row in force in front; false at the end of the history.
local function advance(line)
  if not line.page[line.at] and not line.ended then
    local page = redis.call('ZRANGEBYSCORE', line.key, line.from, '(' .. ARGV[2], 'LIMIT', 0, PAGE)
    line.page, line.at, line.ended = ours(page), 1, #page < PAGE
  end
  local row = line.page[line.at]
  if not row then line.head = false return end
  local moment = moment_of(row)
  while line.page[line.at] and moment_of(line.page[line.at]) == moment do
    row, line.at = line.page[line.at], line.at + 1
  end
  if not line.page[line.at] and not line.ended then -- further revisions may be on the next page
    row = ours(redis.call('ZREVRANGEBYSCORE', line.key, moment, moment, 'LIMIT', 0, PAGE))[1]
    line.from = '(' .. moment
  end
  line.head, line.moment = row, tonumber(moment)
end

local function told_that_day(place, moment)
  local start = math.floor((moment + offset) / day) * day - offset
  local line = lines[place]
  if line.start ~= start then
    line.start, line.told = start, false
    local low, high = string.format('%.0f', start), string.format('(%.0f', start + day)
    for preferred = 1, place - 1 do
      line.told = line.told or redis.call('ZCOUNT', KEYS[preferred], low, high) > 0
    end
  end
  return line.told
end

local found = {''}
while #found <= limit do
  local best
  for place, line in ipairs(lines) do
    if line.head == nil then advance(line) end
    if line.head and (not best or line.moment < lines[best].moment) then best = place end
  end
  if not best then found[1] = '' return found end
  local row, moment = lines[best].head, lines[best].moment
  local archived = row:match('^%d+|[^|]*|[^|]*|[^|]*|[^|]*|[^|]*|([^|]*)|') == '1'
  if not (archived and told_that_day(best, moment)) then table.insert(found, row) end
  for _, line in ipairs(lines) do
    if line.head and line.moment == moment then line.head = nil end
  end
  found[1] = string.format('%.0f', moment + 1)
end
return found
