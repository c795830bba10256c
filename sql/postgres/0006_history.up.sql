-- History: why it was done, what happened to no object's rows (a breaker
-- that opens, what was held and is let through), and how far back it reaches.

ALTER TABLE change ADD COLUMN cause text NOT NULL DEFAULT '';
COMMENT ON COLUMN change.cause IS 'Why, where nobody asked for it as it is: rollback to 7, client did not come back, ...';
ALTER TABLE change
	DROP CONSTRAINT change_generation_check,
	DROP CONSTRAINT change_kind_check,
	DROP CONSTRAINT change_action_check,
	ADD CONSTRAINT change_generation_check CHECK (generation >= 0),
	ADD CONSTRAINT change_kind_check
		CHECK (kind IN ('service', 'backend', 'route', 'store')),
	ADD CONSTRAINT change_action_check
		CHECK (action IN ('create', 'update', 'delete', 'open',
			'close', 'trip', 'reset', 'load', 'unload', 'accept'));
COMMENT ON COLUMN change.action IS 'What was done; create, update and delete change an object, others are told of only.';
COMMENT ON COLUMN change.generation IS 'The commit; of what is told of only: the latest one.';

CREATE TABLE horizon (
	only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
	generation bigint NOT NULL CHECK (generation >= 0),
	seq bigint NOT NULL CHECK (seq >= 0)
);
COMMENT ON TABLE horizon IS 'One row: up to here history was removed, since it was too old or too much.';
COMMENT ON COLUMN horizon.only_row IS 'Keeps the table at one row.';
COMMENT ON COLUMN horizon.generation IS 'What came after it is all there.';
COMMENT ON COLUMN horizon.seq IS 'The last row of that generation that was removed.';
INSERT INTO horizon (generation, seq) VALUES (0, 0);
