-- History: why it was done, what happened to no object's rows (a breaker
-- that opens, what was held and is let through), and how far back it reaches.
CREATE TABLE change_6 (
	generation INTEGER NOT NULL CHECK (generation >= 0),
	seq INTEGER NOT NULL CHECK (seq > 0),
	at INTEGER NOT NULL,
	who TEXT NOT NULL,
	from_addr TEXT NOT NULL,
	channel TEXT NOT NULL,
	request_id TEXT NOT NULL,
	kind TEXT NOT NULL
		CHECK (kind IN ('service', 'backend', 'route', 'store')),
	key TEXT NOT NULL,
	action TEXT NOT NULL
		CHECK (action IN ('create', 'update', 'delete', 'open',
			'close', 'trip', 'reset', 'load', 'unload', 'accept')),
	before TEXT CHECK (before IS NULL OR json_valid(before)),
	after TEXT CHECK (after IS NULL OR json_valid(after)),
	cause TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (generation, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO change_6 (generation, seq, at, who, from_addr, channel,
	request_id, kind, key, action, before, after)
SELECT generation, seq, at, who, from_addr, channel, request_id, kind, key,
	action, before, after
FROM change ORDER BY generation, seq;
DROP TABLE change;
ALTER TABLE change_6 RENAME TO change;
CREATE INDEX change_by_key ON change (key, generation, seq);

-- Up to here history was removed, since it was too old or too much.
CREATE TABLE horizon (
	only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
	generation INTEGER NOT NULL CHECK (generation >= 0),
	seq INTEGER NOT NULL CHECK (seq >= 0)
) STRICT;
INSERT INTO horizon VALUES (1, 0, 0);
