-- Takes causes, what is told of only, and the horizon away.
DROP TABLE horizon;
CREATE TABLE change_5 (
	generation INTEGER NOT NULL CHECK (generation > 0),
	seq INTEGER NOT NULL CHECK (seq > 0),
	at INTEGER NOT NULL,
	who TEXT NOT NULL,
	from_addr TEXT NOT NULL,
	channel TEXT NOT NULL,
	request_id TEXT NOT NULL,
	kind TEXT NOT NULL CHECK (kind IN ('service', 'backend', 'route')),
	key TEXT NOT NULL,
	action TEXT NOT NULL
		CHECK (action IN ('create', 'update', 'delete')),
	before TEXT CHECK (before IS NULL OR json_valid(before)),
	after TEXT CHECK (after IS NULL OR json_valid(after)),
	PRIMARY KEY (generation, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO change_5
SELECT generation, seq, at, who, from_addr, channel, request_id, kind, key,
	action, before, after
FROM change WHERE action IN ('create', 'update', 'delete')
ORDER BY generation, seq;
DROP TABLE change;
ALTER TABLE change_5 RENAME TO change;
CREATE INDEX change_by_key ON change (key, generation, seq);
DELETE FROM schema_version WHERE version = 6;
