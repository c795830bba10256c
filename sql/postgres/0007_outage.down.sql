-- Takes away what an outage needs.
DROP TABLE spool_played;
DROP TABLE identity;
DELETE FROM schema_version WHERE version = 7;
