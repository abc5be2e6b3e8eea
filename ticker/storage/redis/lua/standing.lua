-- Of each history the row in force and the one before it, newest first. KEYS: histories. ARGV: the as_of that it lies
-- before; the moment by which it was seen, or nothing; the day that it is of at the latest, or nothing.
local PAGE = 200
local seen_by, day_by = tonumber(ARGV[2]), tonumber(ARGV[3])

local function newest(key, bound)
  local passed = 0
  while true do
    local page = redis.call('ZREVRANGEBYSCORE', key, bound, '-inf', 'LIMIT', passed, PAGE)
    for _, row in ipairs(page) do
      local as_of, seen, day = row:match('^%d+|([^|]*)|([^|]*)|[^|]*|([^|]*)|')
      if day and (not seen_by or tonumber(seen) <= seen_by) and (not day_by or tonumber(day) <= day_by) then return row, as_of end
    end
    if #page < PAGE then return nil end
    passed = passed + PAGE
  end
end

local found = {}
for place, key in ipairs(KEYS) do
  local row, as_of = newest(key, '(' .. ARGV[1])
  found[place] = row and {row, (newest(key, '(' .. as_of))} or {}
end
return found
