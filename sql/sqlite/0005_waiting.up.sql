-- What the sessions' MAINT_OK wait for is kept too.
CREATE TABLE note_new (
	kind TEXT NOT NULL CHECK (kind IN
		('session', 'active', 'staged', 'token', 'waiting')),
	key TEXT NOT NULL CHECK (key <> ''),
	seq INTEGER NOT NULL CHECK (seq >= 0),
	body TEXT NOT NULL,
	PRIMARY KEY (kind, key, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO note_new SELECT kind, key, seq, body FROM note;
DROP TABLE note;
ALTER TABLE note_new RENAME TO note;
