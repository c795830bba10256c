-- History tells of certificates that were renewed.
CREATE TABLE change_11 (
	generation INTEGER NOT NULL CHECK (generation >= 0),
	seq INTEGER NOT NULL CHECK (seq > 0),
	at INTEGER NOT NULL,
	who TEXT NOT NULL,
	from_addr TEXT NOT NULL,
	channel TEXT NOT NULL,
	request_id TEXT NOT NULL,
	kind TEXT NOT NULL CHECK (kind IN
		('service', 'backend', 'route', 'store', 'certificate')),
	key TEXT NOT NULL,
	action TEXT NOT NULL
		CHECK (action IN ('create', 'update', 'delete', 'open',
			'close', 'trip', 'reset', 'load', 'unload', 'accept',
			'renew')),
	before TEXT CHECK (before IS NULL OR json_valid(before)),
	after TEXT CHECK (after IS NULL OR json_valid(after)),
	cause TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (generation, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO change_11 SELECT * FROM change ORDER BY generation, seq;
DROP TABLE change;
ALTER TABLE change_11 RENAME TO change;
CREATE INDEX change_by_key ON change (key, generation, seq);
