-- Removes one key of the document layout. nil: refused because of its version; else how many keys went.
-- ARGV: 1 version that must be there ("0": any).
local version = redis.pcall('JSON.GET', KEYS[1], '.version')
if version and type(version) ~= 'table' and version ~= '' and version ~= ARGV[1] and ARGV[1] ~= '0' then
  return false
end
return redis.call('DEL', KEYS[1])
