-- What makes no generation: sessions of the registration protocol, what
-- they have active and staged, and tokens.
CREATE TABLE note (
	kind text COLLATE "C" NOT NULL
		CHECK (kind IN ('session', 'active', 'staged', 'token')),
	key text COLLATE "C" NOT NULL CHECK (key <> ''),
	seq bigint NOT NULL CHECK (seq >= 0),
	body text NOT NULL,
	PRIMARY KEY (kind, key, seq)
);
COMMENT ON TABLE note IS 'What makes no generation: registration sessions, what they have active and staged, and tokens.';
COMMENT ON COLUMN note.kind IS 'What it is.';
COMMENT ON COLUMN note.key IS 'The session''s id, or the token''s.';
COMMENT ON COLUMN note.seq IS 'The order of staged lines; else 0.';
COMMENT ON COLUMN note.body IS 'JSON of a session or token; lines of the protocol.';
