-- The named queries of the SQLite store.  Parameters and columns stand in
-- the order of src/registryd/store/cells.c.

-- name: set_up
PRAGMA busy_timeout = 5000;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA journal_size_limit = 67108864

-- name: begin
BEGIN IMMEDIATE

-- name: begin_snapshot
BEGIN

-- name: commit
COMMIT

-- name: rollback
ROLLBACK

-- name: ping
SELECT 1

-- BEGIN IMMEDIATE locks the file already.
-- name: lock_migrations
SELECT 1

-- name: has_schema_version
SELECT count(*) FROM sqlite_master
WHERE type = 'table' AND name = 'schema_version'

-- name: create_schema_version
CREATE TABLE IF NOT EXISTS schema_version (
	version INTEGER PRIMARY KEY,
	name TEXT NOT NULL,
	applied_at INTEGER NOT NULL
) STRICT

-- name: select_schema_version
SELECT coalesce(max(version), 0) FROM schema_version

-- name: insert_schema_version
INSERT INTO schema_version (version, name, applied_at) VALUES (?1, ?2, ?3)

-- name: select_migrations
SELECT version, name, applied_at FROM schema_version ORDER BY version

-- name: drop_schema_version
DROP TABLE schema_version

-- name: next_generation
UPDATE generation SET value = value + 1 RETURNING value

-- name: select_generation
SELECT value, (SELECT id FROM identity) FROM generation

-- name: allocate_backend_ids
SELECT max(coalesce((SELECT seq FROM sqlite_sequence
	WHERE name = 'backend'), 0), ?2) + ?1

-- name: allocate_route_ids
SELECT max(coalesce((SELECT seq FROM sqlite_sequence
	WHERE name = 'route'), 0), ?2) + ?1

-- name: insert_service
INSERT INTO service (name, origin, policy, hash_header, connect_timeout_ms,
	response_timeout_ms, queue_timeout_ms, retries, probe_kind,
	probe_interval_ms, probe_timeout_ms, probe_rise, probe_fall,
	probe_status_min, probe_status_max, probe_path, probe_host,
	created_at, updated_at, version, breaker_threshold, breaker_open_ms,
	breaker_half_open_requests, breaker_window_ms, condition)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,
	?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)

-- The time of creation (18) stays.
-- name: update_service
UPDATE service SET origin = ?2, policy = ?3, hash_header = ?4,
	connect_timeout_ms = ?5, response_timeout_ms = ?6,
	queue_timeout_ms = ?7, retries = ?8, probe_kind = ?9,
	probe_interval_ms = ?10, probe_timeout_ms = ?11, probe_rise = ?12,
	probe_fall = ?13, probe_status_min = ?14, probe_status_max = ?15,
	probe_path = ?16, probe_host = ?17, updated_at = ?19, version = ?20,
	breaker_threshold = ?21, breaker_open_ms = ?22,
	breaker_half_open_requests = ?23, breaker_window_ms = ?24,
	condition = ?25
WHERE name = ?1 AND ?26 IN (0, version)

-- name: delete_service
DELETE FROM service WHERE name = ?1 AND ?2 IN (0, version)

-- name: insert_backend
INSERT INTO backend (id, origin, service, url, weight, max_connections,
	created_at, updated_at, version, condition)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)

-- name: update_backend
UPDATE backend SET origin = ?2, service = ?3, url = ?4, weight = ?5,
	max_connections = ?6, updated_at = ?8, version = ?9, condition = ?10
WHERE id = ?1 AND ?11 IN (0, version)

-- name: delete_backend
DELETE FROM backend WHERE id = ?1 AND ?2 IN (0, version)

-- name: insert_route
INSERT INTO route (id, origin, label, domains, prefixes, priority,
	strip_prefix, is_shared, host_rewrite, max_body_bytes, headers,
	created_at, updated_at, version, rate_limit_requests,
	rate_limit_window_ms, rate_limit_is_dry_run, condition,
	refuses_websocket, rate_limit_is_told)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,
	?16, ?17, ?18, ?19, ?20)

-- name: update_route
UPDATE route SET origin = ?2, label = ?3, domains = ?4, prefixes = ?5,
	priority = ?6, strip_prefix = ?7, is_shared = ?8, host_rewrite = ?9,
	max_body_bytes = ?10, headers = ?11, updated_at = ?13, version = ?14,
	rate_limit_requests = ?15, rate_limit_window_ms = ?16,
	rate_limit_is_dry_run = ?17, condition = ?18,
	refuses_websocket = ?19, rate_limit_is_told = ?20
WHERE id = ?1 AND ?21 IN (0, version)

-- name: delete_route
DELETE FROM route WHERE id = ?1 AND ?2 IN (0, version)

-- name: insert_route_targets
INSERT INTO route_target (route, position, service, weight)
SELECT ?1, key, json_extract(value, '$[0]'), json_extract(value, '$[1]')
FROM json_each(?2)

-- name: delete_route_targets
DELETE FROM route_target WHERE route = ?1

-- name: insert_change
INSERT INTO change (generation, seq, at, who, from_addr, channel, request_id,
	kind, key, action, before, after, cause)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)

-- What happens beside commits is told behind the latest one.
-- name: lock_generation
SELECT value FROM generation

-- name: insert_event
INSERT INTO change (generation, seq, at, who, from_addr, channel, request_id,
	kind, key, action, before, after, cause)
SELECT value, max(
		coalesce((SELECT max(seq) FROM change
			WHERE generation = value), 0),
		coalesce((SELECT seq FROM horizon
			WHERE generation = value), 0)) + 1,
	?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11
FROM generation

-- name: select_services
SELECT name, origin, policy, hash_header, connect_timeout_ms,
	response_timeout_ms, queue_timeout_ms, retries, probe_kind,
	probe_interval_ms, probe_timeout_ms, probe_rise, probe_fall,
	probe_status_min, probe_status_max, probe_path, probe_host,
	created_at, updated_at, version, breaker_threshold, breaker_open_ms,
	breaker_half_open_requests, breaker_window_ms, condition
FROM service WHERE name > ?1 ORDER BY name LIMIT ?2

-- name: select_backends
SELECT id, origin, service, url, weight, max_connections, created_at,
	updated_at, version, condition
FROM backend WHERE id > ?1 ORDER BY id LIMIT ?2

-- name: select_routes
SELECT id, origin, label, domains, prefixes, priority, strip_prefix,
	is_shared, host_rewrite, max_body_bytes, headers, created_at,
	updated_at, version, rate_limit_requests, rate_limit_window_ms,
	rate_limit_is_dry_run, condition, refuses_websocket,
	rate_limit_is_told,
	(SELECT json_group_array(json_array(service, weight))
	FROM (SELECT service, weight FROM route_target
		WHERE route_target.route = r.id ORDER BY position))
FROM route AS r WHERE id > ?1 ORDER BY id LIMIT ?2

-- name: select_changes
SELECT generation, seq, at, who, from_addr, channel, request_id, kind, key,
	action, before, after, cause
FROM change
WHERE (generation, seq) > (?1, ?5) AND (generation, seq) <= (?2, ?6)
	AND (?3 IS NULL OR kind = ?3)
ORDER BY generation, seq LIMIT ?4

-- name: select_changes_newest
SELECT generation, seq, at, who, from_addr, channel, request_id, kind, key,
	action, before, after, cause
FROM change
WHERE (generation, seq) > (?1, ?5) AND (generation, seq) <= (?2, ?6)
	AND (?3 IS NULL OR kind = ?3)
ORDER BY generation DESC, seq DESC LIMIT ?4

-- name: select_changes_of
SELECT generation, seq, at, who, from_addr, channel, request_id, kind, key,
	action, before, after, cause
FROM change
WHERE key = ?7 AND (generation, seq) > (?1, ?5)
	AND (generation, seq) <= (?2, ?6)
	AND (?3 IS NULL OR kind = ?3)
ORDER BY generation, seq LIMIT ?4

-- name: select_changes_of_newest
SELECT generation, seq, at, who, from_addr, channel, request_id, kind, key,
	action, before, after, cause
FROM change
WHERE key = ?7 AND (generation, seq) > (?1, ?5)
	AND (generation, seq) <= (?2, ?6)
	AND (?3 IS NULL OR kind = ?3)
ORDER BY generation DESC, seq DESC LIMIT ?4

-- How far back history reaches: not behind what was removed here, nor
-- behind what is not there for whatever reason.
-- name: select_horizon
SELECT max(generation, coalesce(
	(SELECT min(generation) FROM change WHERE generation > 0) - 1,
	(SELECT value FROM generation)))
FROM horizon

-- How many rows there are, and the time of the oldest.
-- name: measure_history
SELECT (SELECT count(*) FROM change), coalesce((
	SELECT at FROM change ORDER BY generation, seq LIMIT 1), 0)

-- BEGIN IMMEDIATE locks the file already.
-- name: lock_pruning
SELECT 1

-- Of the first rows, what is older than a time, and as many as are too many;
-- but not what came after the floor.
-- name: move_horizon
UPDATE horizon SET generation = gone.generation, seq = gone.seq
FROM (SELECT generation, seq FROM (
		SELECT generation, seq, at,
			row_number() OVER (ORDER BY generation, seq) AS position
		FROM change WHERE generation <= ?1
		ORDER BY generation, seq LIMIT ?2) AS oldest
	WHERE at < ?3 OR position <= ?4
	ORDER BY generation DESC, seq DESC LIMIT 1) AS gone

-- name: delete_changes
DELETE FROM change
WHERE (generation, seq) <= (SELECT generation, seq FROM horizon)

-- name: put_note
INSERT INTO note (kind, key, seq, body)
VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (kind, key, seq) DO UPDATE SET body = excluded.body

-- name: delete_note
DELETE FROM note WHERE kind = ?1 AND key = ?2 AND seq = ?3

-- name: delete_notes
DELETE FROM note WHERE kind = ?1 AND key = ?2

-- Sessions come before what they have.
-- name: select_notes
SELECT kind, key, seq, body FROM note WHERE kind <> 'gone'
ORDER BY kind <> 'session', key, kind, seq

-- What follows is asked by sluice-store alone.
-- name: is_empty
SELECT value = 0
	AND NOT EXISTS (SELECT 1 FROM service)
	AND NOT EXISTS (SELECT 1 FROM backend)
	AND NOT EXISTS (SELECT 1 FROM route)
	AND NOT EXISTS (SELECT 1 FROM change)
	AND NOT EXISTS (SELECT 1 FROM note WHERE kind <> 'gone')
FROM generation

-- name: empty
DELETE FROM note;
DELETE FROM note_version;
DELETE FROM horizon;
DELETE FROM change;
DELETE FROM route_target;
DELETE FROM route;
DELETE FROM backend;
DELETE FROM service;
DELETE FROM generation

-- name: select_columns
SELECT name, type FROM pragma_table_info(?1) ORDER BY cid

-- name: select_last_id
SELECT seq FROM sqlite_sequence WHERE name = ?1

-- name: forget_last_id
DELETE FROM sqlite_sequence WHERE name = ?1

-- name: put_last_id
INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)

-- A file that follows a PostgreSQL server.  It may lose the latest, since
-- it catches up, but for what is spooled (be_durable); and what is changed
-- there may come in any order.
-- name: set_up_replica
PRAGMA synchronous = NORMAL;
PRAGMA foreign_keys = OFF

-- name: be_durable
PRAGMA synchronous = FULL

-- name: be_quick
PRAGMA synchronous = NORMAL

-- name: select_replica
SELECT target, confirmed_at,
	(SELECT value FROM generation) = 0 AND
		NOT EXISTS (SELECT * FROM service) AND
		NOT EXISTS (SELECT * FROM note)
FROM (SELECT 1) LEFT JOIN replica

-- name: put_replica
INSERT INTO replica (only_row, target, confirmed_at) VALUES (1, ?1, ?2)
ON CONFLICT (only_row) DO UPDATE SET target = excluded.target,
	confirmed_at = excluded.confirmed_at

-- name: put_generation
UPDATE generation SET value = ?1

-- name: put_identity
UPDATE identity SET id = ?1

-- name: delete_services_between
DELETE FROM service WHERE name > ?1 AND (?2 IS NULL OR name <= ?2)

-- name: delete_backends_between
DELETE FROM backend WHERE id > ?1 AND (?2 IS NULL OR id <= ?2)

-- name: delete_routes_between
DELETE FROM route WHERE id > ?1 AND (?2 IS NULL OR id <= ?2)

-- name: delete_route_targets_between
DELETE FROM route_target WHERE route > ?1 AND (?2 IS NULL OR route <= ?2)

-- name: delete_all_notes
DELETE FROM note

-- name: put_spooled
INSERT INTO spool (seq, id, state, generation, reason, at, who, from_addr,
	channel, request_id, body)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
ON CONFLICT (seq) DO UPDATE SET state = excluded.state,
	generation = excluded.generation, reason = excluded.reason

-- name: forget_spooled
DELETE FROM spool WHERE (state = 'played' AND seq <= ?1)
	OR (state = 'dropped' AND seq <= ?2)

-- name: select_spooled
SELECT seq, id, state, generation, reason, at, who, from_addr, channel,
	request_id, body
FROM spool ORDER BY seq
