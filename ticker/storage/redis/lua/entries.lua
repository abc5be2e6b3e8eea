-- The newest entries of a record about each of some symbols. KEYS: of each symbol the moments and the texts. ARGV: the
-- first moment, the last, how many of each. Gives of each entry whose it is (0 is the first), its id, moment and text.
local found = {}
for place = 1, #KEYS, 2 do
  local rows = redis.call('ZREVRANGEBYSCORE', KEYS[place], ARGV[2], ARGV[1], 'WITHSCORES', 'LIMIT', 0, ARGV[3])
  for at = 1, #rows, 2 do
    local text = redis.call('HGET', KEYS[place + 1], rows[at])
    if text then table.insert(found, {(place - 1) / 2, rows[at], rows[at + 1], text}) end
  end
end
return found
