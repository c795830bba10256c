-- Orders to what stands in the configuration file are kept.
ALTER TABLE note DROP CONSTRAINT note_kind_check;
ALTER TABLE note ADD CONSTRAINT note_kind_check CHECK (kind IN ('session',
	'active', 'staged', 'token', 'waiting', 'gone', 'condition'));
