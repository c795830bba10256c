-- Takes causes, what is told of only, and the horizon away.
DROP TABLE horizon;
DELETE FROM change WHERE action NOT IN ('create', 'update', 'delete');
ALTER TABLE change
	DROP COLUMN cause,
	DROP CONSTRAINT change_generation_check,
	DROP CONSTRAINT change_kind_check,
	DROP CONSTRAINT change_action_check,
	ADD CONSTRAINT change_generation_check CHECK (generation > 0),
	ADD CONSTRAINT change_kind_check
		CHECK (kind IN ('service', 'backend', 'route')),
	ADD CONSTRAINT change_action_check
		CHECK (action IN ('create', 'update', 'delete'));
DELETE FROM schema_version WHERE version = 6;
