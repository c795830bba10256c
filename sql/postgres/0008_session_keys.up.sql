-- Of a session's id only its SHA-256 is kept, behind the part that may be
-- shown.
UPDATE note SET body = replace(body, '|' || key || '|', '|-|')
WHERE kind = 'staged';
UPDATE note
SET key = left(key, length(key) - 32)
	|| encode(sha256(convert_to(key, 'UTF8')), 'hex')
WHERE kind <> 'token' AND substr(key, length(key) - 32, 1) = '-';
COMMENT ON COLUMN note.key IS 'Of a session: its id, with its SHA-256 in place of what is secret; of a token: its id.';
