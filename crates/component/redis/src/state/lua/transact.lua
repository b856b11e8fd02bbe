-- Carries out several writes, all or none. 0: done; else the number of the first operation that its version forbids.
-- KEYS: one for each operation, in order; a key may come again.
-- ARGV: 1 "check" to look only, else "apply"; then four for each operation:
--   what ("set", "delete", "set-json", "delete-json"), version that must be there ("0": any), value, time to live.
local known = {}

-- What a key will look like when its turn comes: its version (nil: none) and whether a first write marked it.
local function look(key, json)
  local found = known[key]
  if found then return found end
  local version, sticky
  if json then
    version = redis.pcall('JSON.GET', key, '.version')
    sticky = redis.pcall('JSON.GET', key, '.first-write')
  else
    version = redis.pcall('HGET', key, 'version')
    sticky = redis.pcall('HGET', key, 'first-write')
  end
  if type(version) == 'table' or version == '' then version = false end
  found = { version = version, sticky = version and sticky and type(sticky) ~= 'table' }
  known[key] = found
  return found
end

for number, key in ipairs(KEYS) do
  local at = 2 + (number - 1) * 4
  local what, expected = ARGV[at], ARGV[at + 1]
  local json = what == 'set-json' or what == 'delete-json'
  local delete = what == 'delete' or what == 'delete-json'
  local now = look(key, json)
  if now.version and now.version ~= expected and (expected ~= '0' or (now.sticky and not delete)) then
    return number
  end
  if delete then
    known[key] = { version = false, sticky = false }
  elseif json then
    known[key] = { version = string.format('%.0f', (now.version or expected) + 1), sticky = false }
  else
    known[key] = { version = string.format('%.0f', (now.version or 0) + 1), sticky = now.sticky }
  end
end
if ARGV[1] == 'check' then return 0 end

for number, key in ipairs(KEYS) do
  local at = 2 + (number - 1) * 4
  local what, expected, value, ttl = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  if what == 'set' then
    if type(redis.pcall('HGET', key, 'version')) == 'table' then redis.call('DEL', key) end
    redis.call('HSET', key, 'data', value)
    redis.call('HINCRBY', key, 'version', 1)
  elseif what == 'set-json' then
    local version = redis.pcall('JSON.GET', key, '.version')
    if type(version) == 'table' then redis.call('DEL', key) end
    if not version or type(version) == 'table' or version == '' then version = expected end
    redis.call('JSON.SET', key, '$', value)
    redis.call('JSON.SET', key, '.version', string.format('%.0f', version + 1))
  else
    redis.call('DEL', key)
  end
  if ttl == '-1' then
    redis.call('PERSIST', key)
  elseif ttl ~= '' then
    redis.call('EXPIRE', key, ttl)
  end
end
return 0
