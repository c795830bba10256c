-- Routes that refuse WebSockets, and limits that are told with each answer.
ALTER TABLE route ADD COLUMN refuses_websocket boolean NOT NULL DEFAULT false;
ALTER TABLE route ADD COLUMN rate_limit_is_told boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN route.refuses_websocket IS 'Whether an upgrade to a WebSocket is answered with 403.';
COMMENT ON COLUMN route.rate_limit_is_told IS 'Whether each answer has RateLimit-* fields, not only a refusal.';
