-- Takes the comments away.
COMMENT ON TABLE schema_version IS NULL;
COMMENT ON COLUMN schema_version.version IS NULL;
COMMENT ON COLUMN schema_version.name IS NULL;
COMMENT ON COLUMN schema_version.applied_at IS NULL;
DELETE FROM schema_version WHERE version = 9;
