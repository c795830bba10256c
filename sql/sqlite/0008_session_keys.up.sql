-- Of a session's id only its SHA-256 is kept, behind the part that may be
-- shown.  sha256_hex() is the program's.
UPDATE note SET body = replace(body, '|' || key || '|', '|-|')
WHERE kind = 'staged';
UPDATE note
SET key = substr(key, 1, length(key) - 32) || sha256_hex(key)
WHERE kind <> 'token' AND substr(key, -33, 1) = '-';
