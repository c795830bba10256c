-- History tells of certificates that were renewed.
ALTER TABLE change
	DROP CONSTRAINT change_kind_check,
	DROP CONSTRAINT change_action_check,
	ADD CONSTRAINT change_kind_check CHECK (kind IN
		('service', 'backend', 'route', 'store', 'certificate')),
	ADD CONSTRAINT change_action_check
		CHECK (action IN ('create', 'update', 'delete', 'open',
			'close', 'trip', 'reset', 'load', 'unload', 'accept',
			'renew'));
