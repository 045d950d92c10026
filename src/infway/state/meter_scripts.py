"""What Redis does for limits: three scripts, each one round trip, by the store's own time.

Counts are those of `window.py`: by turns of a thousandth of a window. A holder has one key with
the sums of its windows, one for each window with a count for each turn, and one with the requests
that are under way. All begin alike and hash to one slot. They go when they are unused.

`epoch`: names the data set. Where it is another one than the caller knows, keys were lost, and
nothing is decided before what all processes remember was put back.

`hot`: the windows of which more than half is used. A window is marked before its second half is
given out, by `patience` milliseconds, so that every process knows of it before that: whoever is cut
off from the store knows of what is not marked that half of it was free.

`processes`: who counts here, each until so long after its last look. `telling`: there while somebody
tells what the store lacks.
"""

_SHARED = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local TURNS = 1000

local function forget(key, one, seconds)  -- one: first turn, last turn, sum, hot since, marked at
  local oldest = math.floor(now / seconds) - TURNS
  if one[2] < oldest then
    if one[3] ~= 0 then redis.call('DEL', key) end
    one[1], one[3] = math.floor(now / seconds), 0
  elseif one[1] < oldest then
    local turns = {}
    for turn = one[1], oldest - 1 do turns[#turns + 1] = string.format('%d', turn) end
    for _, count in ipairs(redis.call('HMGET', key, unpack(turns))) do
      one[3] = one[3] - (tonumber(count or 0) or 0)
    end
    redis.call('HDEL', key, unpack(turns))
    one[1] = oldest
  end
end

local function add(key, one, seconds, turn, amount)
  redis.call('HINCRBY', key, string.format('%d', turn), string.format('%d', amount))
  if turn ~= one[2] then redis.call('PEXPIRE', key, seconds * 1002) end
  one[1], one[2] = math.min(one[1], turn), math.max(one[2], turn)
  one[3] = one[3] + amount
end

local function load(key)
  local kept = redis.call('GET', key)
  return kept and cmsgpack.unpack(kept) or {}
end

local function window(book, key, kind, seconds)
  local name = kind .. ':' .. seconds
  local one = book[name]
  if not one then
    one = {math.floor(now / seconds), -1, 0, 0, 0}
    book[name] = one
    redis.call('DEL', key .. ':' .. name)
  end
  forget(key .. ':' .. name, one, seconds)
  return one, key .. ':' .. name
end

local function keep(key, book, longest)
  redis.call('SET', key, cmsgpack.pack(book), 'PX', longest * 1002)
end
"""

LOST, ADMITTED, REFUSED, WAITS = range(4)
"""What `TAKE` says first."""

TAKE = (
    _SHARED
    + """
-- KEYS: epoch, hot, processes, one for each holder
-- ARGV[1]: {epoch, counts, tokens, characters, patience, parts that are said, processes that were
--   seen at last, lease, length of a lease, holders, leases that have ended};
--   a holder: {id, windows, concurrent or -1}; a window: {kind, seconds, most}
local epoch, counts, tokens, characters, patience, parts, seen, lease, length, holders, ended =
  unpack(cmsgpack.unpack(ARGV[1]))
if redis.call('GET', KEYS[1]) ~= epoch then return {0} end
local amounts = {counts, tokens, characters}
local books, longests, pending = {}, {}, 0
local refused

for place, holder in ipairs(holders) do  -- they are over, whatever becomes of this try
  if #ended > 0 and holder[3] >= 0 then
    redis.call('ZREM', KEYS[3 + place] .. ':held', unpack(ended))
  end
end

local function wait(key, one, seconds, most, amount)  -- milliseconds until there is room
  local excess = one[3] + amount - most
  if amount == 0 or excess <= 0 then return 0 end
  if amount > most then return seconds * 1000 end
  local turn = one[1]
  while turn <= one[2] do
    local turns = {}
    for next = turn, math.min(turn + 99, one[2]) do turns[#turns + 1] = string.format('%d', next) end
    for at, count in ipairs(redis.call('HMGET', key, unpack(turns))) do
      excess = excess - (tonumber(count or 0) or 0)
      if excess <= 0 then return (turn + at + TURNS) * seconds - now end
    end
    turn = turn + 100
  end
  return seconds * 1000
end

local function mark(name, one, most, amount)  -- milliseconds until the second half may be used
  local used = one[3] + amount
  if used > math.floor(most / 2) then
    if one[4] == 0 then one[4] = now end
    if now - one[5] > 60000 then
      one[5] = now
      redis.call('ZADD', KEYS[2], now, name)
    end
    return math.max(0, one[4] + patience - now)
  end
  if one[4] ~= 0 and used * 4 <= most then
    one[4], one[5] = 0, 0
    redis.call('ZREM', KEYS[2], name)
  end
  return 0
end

local asked = #holders
for place, holder in ipairs(holders) do
  local key = KEYS[3 + place]
  local book, longest = load(key), 60
  books[place] = book
  for _, said in ipairs(holder[2]) do
    local kind, seconds, most = unpack(said)
    local one = window(book, key, kind, seconds)
    local amount = amounts[kind]
    longest = math.max(longest, seconds)
    if place <= asked and amount > 0 and one[3] + amount > most then
      refused, asked = refused or {kind, 0, 0}, place
      if amount > most then refused[3] = 1 end
    end
  end
  longests[place] = longest
  if counts > 0 and holder[3] >= 0 and not refused then
    redis.call('ZREMRANGEBYSCORE', key .. ':held', '-inf', now)
    if redis.call('ZCARD', key .. ':held') >= holder[3] then
      refused, asked = {4, 1000, holder[3] == 0 and 1 or 0}, place
    end
  end
end

if not refused and counts > 0 then  -- who is alone need not wait, but one more may come
  local alone = math.max(seen, redis.call('ZCARD', KEYS[3])) <= 1
  for place, holder in ipairs(holders) do
    for _, said in ipairs(holder[2]) do
      local kind, seconds, most = unpack(said)
      if most >= 2 * math.max(2, parts) then
        local name = kind .. ':' .. seconds
        local left = mark(holder[1] .. ' ' .. name, books[place][name], most, amounts[kind])
        if not alone then pending = math.max(pending, left) end
      end
    end
  end
end

local counted = amounts  -- of a try that is refused, that it was one, by whoever it came to
if refused then counted = {counts, 0, 0} elseif pending > 0 then counted = {0, 0, 0} end
local told = {{-1, 0, 0}, {-1, 0, 0}, {-1, 0, 0}}
for place, holder in ipairs(holders) do
  local key, book = KEYS[3 + place], books[place]
  for _, said in ipairs(holder[2]) do
    local kind, seconds, most = unpack(said)
    local name = kind .. ':' .. seconds
    local one = book[name]
    if counted[kind] > 0 and place <= asked then
      add(key .. ':' .. name, one, seconds, math.floor(now / seconds), counted[kind])
    end
    if refused and place <= asked then  -- after the try itself, which keeps a place as well
      refused[2] = math.max(refused[2], wait(key .. ':' .. name, one, seconds, most, amounts[kind]))
    end
    local room = math.max(0, most - one[3])
    if told[kind][1] < 0 or room < told[kind][2] then
      local whole = one[3] > 0 and (one[2] + TURNS + 1) * seconds - now or 0
      told[kind] = {most, room, math.max(0, whole)}
    end
  end
  keep(key, book, longests[place])
  if counts > 0 and not refused and pending == 0 and holder[3] >= 0 then
    redis.call('ZADD', key .. ':held', now + length, lease)
    redis.call('PEXPIRE', key .. ':held', length * 2)
  end
end

local code, what, left, never = 1, 0, pending, 0
if refused then code, what, left, never = 2, refused[1], refused[2], refused[3]
elseif pending > 0 then code = 3 end
return {code, now, asked, what, left, never, told[1][1], told[1][2], told[1][3],
  told[2][1], told[2][2], told[2][3]}
"""
)

LOOK = """
-- KEYS: epoch, hot, processes, telling. ARGV[1]: {milliseconds since when marks are wanted, -1 for all of
--   them; the name of whoever looks, milliseconds that it counts as there}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local since, name, presence = unpack(cmsgpack.unpack(ARGV[1]))
redis.call('SET', KEYS[1], time[1] .. '.' .. time[2], 'NX')
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
redis.call('ZADD', KEYS[3], now + presence, name)
redis.call('PEXPIRE', KEYS[3], presence)
local epoch, processes = redis.call('GET', KEYS[1]), redis.call('ZCARD', KEYS[3])
local telling = redis.call('GET', KEYS[4]) and 1 or 0
if since >= 0 then
  return {epoch, now, redis.call('ZRANGEBYSCORE', KEYS[2], since, '+inf'), processes, telling}
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - 3700000)
return {epoch, now, redis.call('ZRANGE', KEYS[2], 0, -1), processes, telling}
"""

PUT = (
    _SHARED
    + """
-- KEYS: epoch, telling, the last number that was counted of this teller, one for each holder
-- ARGV[1]: {epoch, number, or 0 where it has none, uses of each holder};
--   a use: {kind, seconds, at, amount}; below 0 it is taken back
local epoch, number, told = unpack(cmsgpack.unpack(ARGV[1]))
if redis.call('GET', KEYS[1]) ~= epoch then return 0 end
if number > 0 then
  redis.call('SET', KEYS[2], '', 'PX', 1500)
  if tonumber(redis.call('GET', KEYS[3]) or 0) >= number then return 1 end
end

local function count(key, one, seconds, amounts)  -- `add` for many turns
  if not next(amounts) then return end
  for turn, amount in pairs(amounts) do
    redis.call('HINCRBY', key, string.format('%d', turn), string.format('%d', amount))
    one[1], one[2] = math.min(one[1], turn), math.max(one[2], turn)
    one[3] = one[3] + amount
  end
  redis.call('PEXPIRE', key, seconds * 1002)
end

for place, uses in ipairs(told) do
  local key = KEYS[3 + place]
  local book, longest, lots = load(key), 60, {}
  for _, use in ipairs(uses) do
    local kind, seconds, at, amount = unpack(use)
    local name = kind .. ':' .. seconds
    if not lots[name] then
      local one, log = window(book, key, kind, seconds)
      lots[name] = {log, one, seconds, {}}
    end
    local _, one, _, amounts = unpack(lots[name])
    local turn = math.min(math.floor(at / seconds), math.floor(now / seconds))
    if turn >= math.floor(now / seconds) - TURNS and (amount > 0 or turn >= one[1]) then
      amounts[turn] = (amounts[turn] or 0) + amount
    end
  end
  for _, lot in pairs(lots) do count(unpack(lot)) end
  for name, _ in pairs(book) do
    longest = math.max(longest, tonumber(string.match(name, ':(%d+)')))
  end
  keep(key, book, longest)
end
if number > 0 then redis.call('SET', KEYS[3], number, 'PX', 3700000) end
return 1
"""
)
