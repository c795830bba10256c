-- The sluices that share this database, and how far each has followed.
CREATE TABLE instance (
	name text COLLATE "C" PRIMARY KEY CHECK (name <> ''),
	run text NOT NULL,
	host text NOT NULL,
	version text NOT NULL,
	started_at timestamptz NOT NULL,
	generation bigint NOT NULL CHECK (generation >= 0),
	seen_at timestamptz NOT NULL,
	good_until timestamptz NOT NULL
);
COMMENT ON TABLE instance IS 'One row a sluice that runs: each writes its own, and takes it away when it stops.';
COMMENT ON COLUMN instance.name IS 'The setting instance, "@", the host; behind a "#" the run, where another has that name.';
COMMENT ON COLUMN instance.run IS 'Drawn at each start of registryd; tells two of one name apart.';
COMMENT ON COLUMN instance.host IS 'The name of the machine.';
COMMENT ON COLUMN instance.version IS 'Of the program.';
COMMENT ON COLUMN instance.started_at IS 'When registryd was started.';
COMMENT ON COLUMN instance.generation IS 'What its route table shows.';
COMMENT ON COLUMN instance.seen_at IS 'When the row was last written.';
COMMENT ON COLUMN instance.good_until IS 'A row not written again by then is stale: its sluice is gone, or cut off.';
