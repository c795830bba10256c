-- What an outage of the database needs: by what this database is told from
-- others, and which of the changes that instances kept meanwhile it has.
CREATE TABLE identity (
	only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
	id uuid NOT NULL DEFAULT gen_random_uuid()
);
COMMENT ON TABLE identity IS 'One row: what no other database has, so that an instance never takes its local file for another''s.';
COMMENT ON COLUMN identity.only_row IS 'Keeps the table at one row.';
COMMENT ON COLUMN identity.id IS 'Given once, by chance.';
INSERT INTO identity DEFAULT VALUES;

CREATE TABLE spool_played (
	id text COLLATE "C" PRIMARY KEY CHECK (id <> ''),
	generation bigint NOT NULL CHECK (generation > 0),
	played_at timestamptz NOT NULL
);
CREATE INDEX spool_played_by_time ON spool_played (played_at);
COMMENT ON TABLE spool_played IS 'Commits that an instance kept while the database was away and has played since: none is played twice. Rows go after 30 days.';
COMMENT ON COLUMN spool_played.id IS 'What the instance called it.';
COMMENT ON COLUMN spool_played.generation IS 'The commit that it became.';
COMMENT ON COLUMN spool_played.played_at IS 'When, by the database''s clock.';
