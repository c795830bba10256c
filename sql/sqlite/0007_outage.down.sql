-- Takes away what an outage needs.
DROP TABLE spool;
DROP TABLE replica;
DROP TABLE identity;
DELETE FROM schema_version WHERE version = 7;
