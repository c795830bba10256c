-- Rows that somebody changes by hand have no history, and make no
-- generation: nobody would follow them.  They are counted, so that every
-- sluice loads all again, and its guard looks at it.
ALTER TABLE identity ADD COLUMN by_hand bigint NOT NULL DEFAULT 0
	CHECK (by_hand >= 0);
COMMENT ON COLUMN identity.by_hand IS 'How often something else than sluice changed services, backends or routes.';

CREATE FUNCTION note_hand() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
	UPDATE identity SET by_hand = by_hand + 1;
	PERFORM pg_notify('sluice_generation', '0');
	RETURN NULL;
END $$;
COMMENT ON FUNCTION note_hand() IS 'Has every sluice load all again.';

CREATE TRIGGER by_hand
AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON service
FOR EACH STATEMENT
WHEN (current_setting('sluice.own', true) IS DISTINCT FROM 'on')
EXECUTE FUNCTION note_hand();

CREATE TRIGGER by_hand
AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON backend
FOR EACH STATEMENT
WHEN (current_setting('sluice.own', true) IS DISTINCT FROM 'on')
EXECUTE FUNCTION note_hand();

CREATE TRIGGER by_hand
AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON route
FOR EACH STATEMENT
WHEN (current_setting('sluice.own', true) IS DISTINCT FROM 'on')
EXECUTE FUNCTION note_hand();

CREATE TRIGGER by_hand
AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON route_target
FOR EACH STATEMENT
WHEN (current_setting('sluice.own', true) IS DISTINCT FROM 'on')
EXECUTE FUNCTION note_hand();
