-- What the sessions' MAINT_OK wait for is kept too.
ALTER TABLE note DROP CONSTRAINT note_kind_check;
ALTER TABLE note ADD CONSTRAINT note_kind_check
	CHECK (kind IN ('session', 'active', 'staged', 'token', 'waiting'));
COMMENT ON TABLE note IS 'What makes no generation: registration sessions, what they have active and staged and what they wait for, and tokens.';
COMMENT ON COLUMN note.seq IS 'The order of staged lines; what is waited for, one by one; else 0.';
