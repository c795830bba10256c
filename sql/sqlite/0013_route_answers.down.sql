-- All routes pass WebSockets on; limits are told with refusals alone.
ALTER TABLE route DROP COLUMN refuses_websocket;
ALTER TABLE route DROP COLUMN rate_limit_is_told;
DELETE FROM schema_version WHERE version = 13;
