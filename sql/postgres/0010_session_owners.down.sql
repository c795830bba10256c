-- Sessions have no versions any more; the owners in their bodies are ignored.
DROP TABLE note_version;
DROP INDEX note_by_version;
ALTER TABLE note DROP COLUMN version;
DELETE FROM note WHERE kind = 'gone';
ALTER TABLE note DROP CONSTRAINT note_kind_check;
ALTER TABLE note ADD CONSTRAINT note_kind_check
	CHECK (kind IN ('session', 'active', 'staged', 'token', 'waiting'));
DELETE FROM schema_version WHERE version = 10;
