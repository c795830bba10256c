-- Orders to what stands in the configuration file are kept.
CREATE TABLE note_new (
	kind TEXT NOT NULL CHECK (kind IN ('session', 'active', 'staged',
		'token', 'waiting', 'gone', 'condition')),
	key TEXT NOT NULL CHECK (key <> ''),
	seq INTEGER NOT NULL CHECK (seq >= 0),
	body TEXT NOT NULL,
	version INTEGER NOT NULL DEFAULT 0 CHECK (version >= 0),
	PRIMARY KEY (kind, key, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO note_new SELECT kind, key, seq, body, version FROM note;
DROP TABLE note;
ALTER TABLE note_new RENAME TO note;
