-- Takes conditions, breakers and rate limits away.
ALTER TABLE service DROP COLUMN breaker_threshold;
ALTER TABLE service DROP COLUMN breaker_open_ms;
ALTER TABLE service DROP COLUMN breaker_half_open_requests;
ALTER TABLE service DROP COLUMN breaker_window_ms;
ALTER TABLE service DROP COLUMN condition;
ALTER TABLE backend DROP COLUMN condition;
ALTER TABLE route DROP COLUMN rate_limit_requests;
ALTER TABLE route DROP COLUMN rate_limit_window_ms;
ALTER TABLE route DROP COLUMN rate_limit_is_dry_run;
ALTER TABLE route DROP COLUMN condition;
DELETE FROM schema_version WHERE version = 3;
