-- What makes no generation: sessions of the registration protocol, what
-- they have active and staged, and tokens.
CREATE TABLE note (
	kind TEXT NOT NULL
		CHECK (kind IN ('session', 'active', 'staged', 'token')),
	key TEXT NOT NULL CHECK (key <> ''),
	seq INTEGER NOT NULL CHECK (seq >= 0),
	body TEXT NOT NULL,
	PRIMARY KEY (kind, key, seq)
) STRICT, WITHOUT ROWID;
