-- Instances that share a database follow each other's sessions and tokens:
-- each change of notes has a version.  Nobody shares a file; it has the
-- columns because what is in one can be copied to the other.
CREATE TABLE note_new (
	kind TEXT NOT NULL CHECK (kind IN
		('session', 'active', 'staged', 'token', 'waiting', 'gone')),
	key TEXT NOT NULL CHECK (key <> ''),
	seq INTEGER NOT NULL CHECK (seq >= 0),
	body TEXT NOT NULL,
	version INTEGER NOT NULL DEFAULT 0 CHECK (version >= 0),
	PRIMARY KEY (kind, key, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO note_new (kind, key, seq, body)
SELECT kind, key, seq, body FROM note;
DROP TABLE note;
ALTER TABLE note_new RENAME TO note;

CREATE TABLE note_version (
	only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
	value INTEGER NOT NULL CHECK (value >= 0)
) STRICT;
INSERT INTO note_version VALUES (1, 1);
