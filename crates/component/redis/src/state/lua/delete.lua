-- Removes one key of the hash layout. nil: refused because of its version; else how many keys went.
-- ARGV: 1 version that must be there ("0": any).
local version = redis.pcall('HGET', KEYS[1], 'version')
if type(version) == 'table' then
  if string.sub(version.err, 1, 9) ~= 'WRONGTYPE' then return version end
  version = false
end
if version and version ~= '' and version ~= ARGV[1] and ARGV[1] ~= '0' then return false end
return redis.call('DEL', KEYS[1])
