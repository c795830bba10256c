-- What the roles of roles.sql may do with the tables that are there.  By
-- sluice_owner, after each sluicectl migrate up; again does no harm:
--
--	psql -d sluice -U sluice_owner -f grants.sql

BEGIN;

GRANT USAGE ON SCHEMA public TO sluice_app, sluice_reader;

-- sluice looks at the schema, and changes rows.
GRANT SELECT ON schema_version, identity TO sluice_app;
GRANT SELECT, UPDATE ON generation, horizon, note_version TO sluice_app;
GRANT SELECT, INSERT, UPDATE, DELETE
	ON service, backend, route, route_target, note, instance, spool_played
	TO sluice_app;
-- To take the next ids.
GRANT SELECT, UPDATE ON SEQUENCE backend_id_seq, route_id_seq TO sluice_app;
-- History is written and, when it is old, taken away; never rewritten.
GRANT SELECT, INSERT, DELETE ON change TO sluice_app;

-- Tokens and sessions are notes.
GRANT SELECT ON schema_version, generation, service, backend, route,
	route_target, change, horizon, instance, identity, note_version,
	spool_played TO sluice_reader;

COMMIT;
