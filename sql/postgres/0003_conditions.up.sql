-- Maintenance and drain of services, backends and routes; breakers of
-- services; rate limits of routes.  Conditions are JSON; '{}' is none.

ALTER TABLE service ADD COLUMN breaker_threshold bigint NOT NULL DEFAULT 0
	CHECK (breaker_threshold >= 0);
COMMENT ON COLUMN service.breaker_threshold IS 'Failures that open it; 0: no breaker.';
ALTER TABLE service ADD COLUMN breaker_open_ms bigint NOT NULL DEFAULT 0
	CHECK (breaker_open_ms >= 0);
COMMENT ON COLUMN service.breaker_open_ms IS 'How long it stays open before trials.';
ALTER TABLE service ADD COLUMN breaker_half_open_requests bigint NOT NULL DEFAULT 0
	CHECK (breaker_half_open_requests >= 0);
COMMENT ON COLUMN service.breaker_half_open_requests IS 'Trials that must go well.';
ALTER TABLE service ADD COLUMN breaker_window_ms bigint NOT NULL DEFAULT 0
	CHECK (breaker_window_ms >= 0);
COMMENT ON COLUMN service.breaker_window_ms IS '0: failures in a row count; else those within it.';
ALTER TABLE service ADD COLUMN condition jsonb NOT NULL DEFAULT '{}'
	CHECK (jsonb_typeof(condition) = 'object');
COMMENT ON COLUMN service.condition IS 'Maintenance and drain, with who ordered them and why; {}: none.';
ALTER TABLE backend ADD COLUMN condition jsonb NOT NULL DEFAULT '{}'
	CHECK (jsonb_typeof(condition) = 'object');
COMMENT ON COLUMN backend.condition IS 'Maintenance and drain, with who ordered them and why; {}: none.';
ALTER TABLE route ADD COLUMN condition jsonb NOT NULL DEFAULT '{}'
	CHECK (jsonb_typeof(condition) = 'object');
COMMENT ON COLUMN route.condition IS 'Maintenance and drain, with who ordered them and why; {}: none.';
ALTER TABLE route ADD COLUMN rate_limit_requests bigint NOT NULL DEFAULT 0
	CHECK (rate_limit_requests >= 0);
COMMENT ON COLUMN route.rate_limit_requests IS 'Of a client address in the window; 0: no limit.';
ALTER TABLE route ADD COLUMN rate_limit_window_ms bigint NOT NULL DEFAULT 0
	CHECK (rate_limit_window_ms >= 0);
COMMENT ON COLUMN route.rate_limit_window_ms IS 'The window.';
ALTER TABLE route ADD COLUMN rate_limit_is_dry_run boolean NOT NULL
	DEFAULT false;
COMMENT ON COLUMN route.rate_limit_is_dry_run IS 'Counts, but refuses nothing.';
