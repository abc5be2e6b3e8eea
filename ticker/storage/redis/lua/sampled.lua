-- The last row of each stretch that has one, of the preferred source with a row in it; oldest first, hopping from stretch
-- to stretch. KEYS: histories, the preferred first. ARGV: first, end, limit, the zone's offset, a stretch.
-- Gives where to go on, or nothing at the end, and then the rows.
local low, stop, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local offset, every = tonumber(ARGV[4]), tonumber(ARGV[5])
local heads, found = {}, {''}

local function text(number) return string.format('%.0f', number) end

local function first_from(key)
  local score = redis.call('ZRANGEBYSCORE', key, text(low), '(' .. text(stop), 'WITHSCORES', 'LIMIT', 0, 1)[2]
  return score and tonumber(score) or false
end

while #found <= limit do
  local soonest
  for place, key in ipairs(KEYS) do
    if heads[place] == nil or (heads[place] and heads[place] < low) then heads[place] = first_from(key) end
    if heads[place] and (not soonest or heads[place] < soonest) then soonest = heads[place] end
  end
  if not soonest then found[1] = '' return found end
  local high = math.min((math.floor((soonest + offset) / every) + 1) * every - offset, stop)
  for place, key in ipairs(KEYS) do
    if heads[place] and heads[place] < high then
      table.insert(found, redis.call('ZREVRANGEBYSCORE', key, '(' .. text(high), text(low), 'LIMIT', 0, 1)[1])
      break
    end
  end
  low = high
  found[1] = text(low)
end
return found
