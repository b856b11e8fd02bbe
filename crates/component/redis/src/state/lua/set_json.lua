-- Writes one key in the document layout. nil: refused because of its version; else the new version.
-- ARGV: 1 version that must be there ("0": any), 2 document, 3 "0" for a first write, 4 time to live.
local version = redis.pcall('JSON.GET', KEYS[1], '.version')
if type(version) == 'table' then
  redis.call('DEL', KEYS[1])
  version = false
end
if version and version ~= '' and version ~= ARGV[1] then
  local sticky = redis.pcall('JSON.GET', KEYS[1], '.first-write')
  if ARGV[1] ~= '0' or (sticky and type(sticky) ~= 'table') then return false end
end
if not version or version == '' then version = ARGV[1] end
local written = string.format('%.0f', version + 1)
redis.call('JSON.SET', KEYS[1], '$', ARGV[2])
if ARGV[3] == '0' then redis.call('JSON.SET', KEYS[1], '.first-write', 0) end
redis.call('JSON.SET', KEYS[1], '.version', written)
if ARGV[4] == '-1' then
  redis.call('PERSIST', KEYS[1])
elseif ARGV[4] ~= '' then
  redis.call('EXPIRE', KEYS[1], ARGV[4])
end
return tonumber(written)
