-- Routes that refuse WebSockets, and limits that are told with each answer.
ALTER TABLE route ADD COLUMN refuses_websocket INTEGER NOT NULL DEFAULT 0
	CHECK (refuses_websocket IN (0, 1));
ALTER TABLE route ADD COLUMN rate_limit_is_told INTEGER NOT NULL DEFAULT 0
	CHECK (rate_limit_is_told IN (0, 1));
