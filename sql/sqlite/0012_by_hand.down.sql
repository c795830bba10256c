-- Nothing was made.
DELETE FROM schema_version WHERE version = 12;
