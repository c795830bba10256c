-- What every other table tells of itself, this one does too.
COMMENT ON TABLE schema_version IS 'One row a migration that was applied; sluicectl migrate status shows them.';
COMMENT ON COLUMN schema_version.version IS 'Its number; the highest is that of the schema.';
COMMENT ON COLUMN schema_version.name IS 'The name of its file.';
COMMENT ON COLUMN schema_version.applied_at IS 'When it was applied.';
