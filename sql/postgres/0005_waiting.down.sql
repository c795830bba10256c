-- Forgets what sessions wait for.
DELETE FROM note WHERE kind = 'waiting';
ALTER TABLE note DROP CONSTRAINT note_kind_check;
ALTER TABLE note ADD CONSTRAINT note_kind_check
	CHECK (kind IN ('session', 'active', 'staged', 'token'));
DELETE FROM schema_version WHERE version = 5;
