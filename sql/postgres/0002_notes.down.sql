-- Takes sessions and tokens away.
DROP TABLE note;
DELETE FROM schema_version WHERE version = 2;
