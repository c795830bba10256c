-- Instances that share a database follow each other's sessions and tokens:
-- each change of notes has a version.  Which instance has a session says the
-- member "owner" of its body.
ALTER TABLE note DROP CONSTRAINT note_kind_check;
ALTER TABLE note ADD CONSTRAINT note_kind_check CHECK (kind IN
	('session', 'active', 'staged', 'token', 'waiting', 'gone'));
ALTER TABLE note ADD COLUMN version bigint NOT NULL DEFAULT 0
	CHECK (version >= 0);
CREATE INDEX note_by_version ON note (version)
	WHERE kind IN ('session', 'active', 'token', 'gone');
COMMENT ON COLUMN note.version IS 'Of its latest change, from note_version.';
COMMENT ON COLUMN note.kind IS 'What it is; gone: a session or a token that others may still have to hear of.';

CREATE TABLE note_version (
	only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
	value bigint NOT NULL CHECK (value >= 0)
);
INSERT INTO note_version (value) VALUES (1);
COMMENT ON TABLE note_version IS 'One row: raised by each transaction that changes notes, and locked by it, so that versions come in the order of commits.';
COMMENT ON COLUMN note_version.only_row IS 'Keeps the table at one row.';
COMMENT ON COLUMN note_version.value IS 'The latest version.';
