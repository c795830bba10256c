-- Takes what is told of certificates away.
DELETE FROM change WHERE kind = 'certificate';
ALTER TABLE change
	DROP CONSTRAINT change_kind_check,
	DROP CONSTRAINT change_action_check,
	ADD CONSTRAINT change_kind_check
		CHECK (kind IN ('service', 'backend', 'route', 'store')),
	ADD CONSTRAINT change_action_check
		CHECK (action IN ('create', 'update', 'delete', 'open',
			'close', 'trip', 'reset', 'load', 'unload', 'accept'));
DELETE FROM schema_version WHERE version = 11;
