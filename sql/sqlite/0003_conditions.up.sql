-- Maintenance and drain of services, backends and routes; breakers of
-- services; rate limits of routes.  Conditions are JSON; '{}' is none.

ALTER TABLE service ADD COLUMN breaker_threshold INTEGER NOT NULL DEFAULT 0
	CHECK (breaker_threshold >= 0);
ALTER TABLE service ADD COLUMN breaker_open_ms INTEGER NOT NULL DEFAULT 0
	CHECK (breaker_open_ms >= 0);
ALTER TABLE service ADD COLUMN breaker_half_open_requests INTEGER NOT NULL DEFAULT 0
	CHECK (breaker_half_open_requests >= 0);
ALTER TABLE service ADD COLUMN breaker_window_ms INTEGER NOT NULL DEFAULT 0
	CHECK (breaker_window_ms >= 0);
ALTER TABLE service ADD COLUMN condition TEXT NOT NULL DEFAULT '{}'
	CHECK (json_valid(condition));
ALTER TABLE backend ADD COLUMN condition TEXT NOT NULL DEFAULT '{}'
	CHECK (json_valid(condition));
ALTER TABLE route ADD COLUMN condition TEXT NOT NULL DEFAULT '{}'
	CHECK (json_valid(condition));
ALTER TABLE route ADD COLUMN rate_limit_requests INTEGER NOT NULL DEFAULT 0
	CHECK (rate_limit_requests >= 0);
ALTER TABLE route ADD COLUMN rate_limit_window_ms INTEGER NOT NULL DEFAULT 0
	CHECK (rate_limit_window_ms >= 0);
ALTER TABLE route ADD COLUMN rate_limit_is_dry_run INTEGER NOT NULL DEFAULT 0
	CHECK (rate_limit_is_dry_run IN (0, 1));
