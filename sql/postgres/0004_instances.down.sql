-- Takes the table of instances away.
DROP TABLE instance;
DELETE FROM schema_version WHERE version = 4;
