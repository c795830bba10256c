-- Forgets them.
DELETE FROM note WHERE kind = 'condition';
ALTER TABLE note DROP CONSTRAINT note_kind_check;
ALTER TABLE note ADD CONSTRAINT note_kind_check CHECK (kind IN
	('session', 'active', 'staged', 'token', 'waiting', 'gone'));
DELETE FROM schema_version WHERE version = 14;
