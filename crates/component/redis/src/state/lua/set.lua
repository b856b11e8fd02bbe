-- Writes one key in the hash layout. nil: refused because of its version; else the new version.
-- ARGV: 1 version that must be there ("0": any), 2 value, 3 "0" for a first write, 4 time to live.
local version = redis.pcall('HGET', KEYS[1], 'version')
if type(version) == 'table' then
  if string.sub(version.err, 1, 9) ~= 'WRONGTYPE' then return version end
  redis.call('DEL', KEYS[1])
  version = false
end
if version and version ~= '' and version ~= ARGV[1] then
  if ARGV[1] ~= '0' or redis.call('HGET', KEYS[1], 'first-write') then return false end
end
redis.call('HSET', KEYS[1], 'data', ARGV[2])
if ARGV[3] == '0' then redis.call('HSET', KEYS[1], 'first-write', 0) end
local written = redis.call('HINCRBY', KEYS[1], 'version', 1)
if ARGV[4] == '-1' then
  redis.call('PERSIST', KEYS[1])
elseif ARGV[4] ~= '' then
  redis.call('EXPIRE', KEYS[1], ARGV[4])
end
return written
