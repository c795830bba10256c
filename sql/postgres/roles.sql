-- The roles of a sluice whose schema belongs to another role than the one
-- it runs as.  Once, by a superuser, in sluice's database:
--
--	psql -d sluice -f roles.sql
--
-- then, by sluice_owner, sluicectl migrate up, and grants.sql.  Passwords,
-- where there are any, are yours to set.

DO $$
BEGIN
	IF to_regrole('sluice_owner') IS NULL THEN
		CREATE ROLE sluice_owner LOGIN;
	END IF;
	IF to_regrole('sluice_app') IS NULL THEN
		CREATE ROLE sluice_app LOGIN;
	END IF;
	IF to_regrole('sluice_reader') IS NULL THEN
		CREATE ROLE sluice_reader LOGIN;
	END IF;
END $$;
COMMENT ON ROLE sluice_owner IS 'Owns sluice''s tables, and migrates them.';
COMMENT ON ROLE sluice_app IS 'What sluice runs as: reads and writes rows.';
COMMENT ON ROLE sluice_reader IS 'Audits sluice: sees all but tokens and sessions.';

GRANT USAGE, CREATE ON SCHEMA public TO sluice_owner;
