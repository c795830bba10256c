-- There is nothing to take away.
DELETE FROM schema_version WHERE version = 9;
