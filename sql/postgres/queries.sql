-- The named queries of the PostgreSQL store.  Parameters and columns stand
-- in the order of src/registryd/store/cells.c; lists are JSON, times are
-- milliseconds since 1970.

-- Neither a slow statement nor an instance that stopped in the middle of a
-- transaction may hold up the others.  All that is asked is asked by key, in
-- the key's order: tables that were just filled, and have no statistics yet,
-- must not talk the planner into anything else.  What is changed without
-- sluice.own is taken for changed by hand.
-- name: set_up
SELECT set_config('statement_timeout', $1, false),
	set_config('idle_in_transaction_session_timeout', $1, false),
	set_config('jit', 'off', false),
	set_config('enable_seqscan', 'off', false),
	set_config('enable_bitmapscan', 'off', false),
	set_config('sluice.own', 'on', false)

-- The same, for the transaction that it is sent in.
-- name: set_up_locally
SELECT set_config('statement_timeout', $1, true),
	set_config('idle_in_transaction_session_timeout', $1, true),
	set_config('jit', 'off', true),
	set_config('enable_seqscan', 'off', true),
	set_config('enable_bitmapscan', 'off', true),
	set_config('sluice.own', 'on', true)

-- name: begin
BEGIN

-- name: begin_snapshot
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY

-- name: commit
COMMIT

-- name: rollback
ROLLBACK

-- name: ping
SELECT 1

-- The number is "sluice" in ASCII; the lock goes with the transaction.
-- name: lock_migrations
SELECT pg_advisory_xact_lock(126909663503205)

-- name: has_schema_version
SELECT (to_regclass('schema_version') IS NOT NULL)::integer

-- name: create_schema_version
CREATE TABLE IF NOT EXISTS schema_version (
	version integer PRIMARY KEY,
	name text NOT NULL,
	applied_at timestamptz NOT NULL
)

-- name: select_schema_version
SELECT coalesce(max(version), 0) FROM schema_version

-- name: insert_schema_version
INSERT INTO schema_version (version, name, applied_at)
VALUES ($1, $2, to_timestamp($3::bigint / 1000.0))

-- name: select_migrations
SELECT version, name, (extract(epoch FROM applied_at) * 1000)::bigint
FROM schema_version ORDER BY version

-- name: drop_schema_version
DROP TABLE schema_version

-- The row's lock makes commits wait for each other.
-- name: next_generation
UPDATE generation SET value = value + 1
RETURNING value, (extract(epoch FROM clock_timestamp()) * 1000)::bigint

-- name: select_generation
SELECT value, (SELECT id::text || '+' || by_hand FROM identity),
	(SELECT (extract(epoch FROM at) * 1000)::bigint FROM change
	WHERE generation = g.value ORDER BY seq LIMIT 1)
FROM generation AS g

-- name: select_change_time
SELECT (extract(epoch FROM at) * 1000)::bigint FROM change
WHERE generation = $1 ORDER BY seq LIMIT 1

-- Commits wait for each other, so nobody takes ids in between.
-- name: allocate_backend_ids
SELECT setval(pg_get_serial_sequence('backend', 'id'),
	greatest(last_value, $2::bigint) + $1::bigint)
FROM backend_id_seq

-- name: allocate_route_ids
SELECT setval(pg_get_serial_sequence('route', 'id'),
	greatest(last_value, $2::bigint) + $1::bigint)
FROM route_id_seq

-- name: insert_service
INSERT INTO service (name, origin, policy, hash_header, connect_timeout_ms,
	response_timeout_ms, queue_timeout_ms, retries, probe_kind,
	probe_interval_ms, probe_timeout_ms, probe_rise, probe_fall,
	probe_status_min, probe_status_max, probe_path, probe_host,
	created_at, updated_at, version, breaker_threshold, breaker_open_ms,
	breaker_half_open_requests, breaker_window_ms, condition)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
	$16, $17, to_timestamp($18::bigint / 1000.0),
	to_timestamp($19::bigint / 1000.0), $20, $21, $22, $23, $24, $25)

-- The time of creation ($18) stays.
-- name: update_service
UPDATE service SET origin = $2, policy = $3, hash_header = $4,
	connect_timeout_ms = $5, response_timeout_ms = $6,
	queue_timeout_ms = $7, retries = $8, probe_kind = $9,
	probe_interval_ms = $10, probe_timeout_ms = $11, probe_rise = $12,
	probe_fall = $13, probe_status_min = $14, probe_status_max = $15,
	probe_path = $16, probe_host = $17,
	updated_at = to_timestamp($19::bigint / 1000.0), version = $20,
	breaker_threshold = $21, breaker_open_ms = $22,
	breaker_half_open_requests = $23, breaker_window_ms = $24,
	condition = $25
WHERE name = $1 AND $26::bigint IN (0, version) AND $18::bigint IS NOT NULL

-- name: delete_service
DELETE FROM service WHERE name = $1 AND $2::bigint IN (0, version)

-- name: insert_backend
INSERT INTO backend (id, origin, service, url, weight, max_connections,
	created_at, updated_at, version, condition)
VALUES ($1, $2, $3, $4, $5, $6, to_timestamp($7::bigint / 1000.0),
	to_timestamp($8::bigint / 1000.0), $9, $10)

-- The time of creation ($7) stays.
-- name: update_backend
UPDATE backend SET origin = $2, service = $3, url = $4, weight = $5,
	max_connections = $6,
	updated_at = to_timestamp($8::bigint / 1000.0), version = $9,
	condition = $10
WHERE id = $1 AND $11::bigint IN (0, version) AND $7::bigint IS NOT NULL

-- name: delete_backend
DELETE FROM backend WHERE id = $1 AND $2::bigint IN (0, version)

-- name: insert_route
INSERT INTO route (id, origin, label, domains, prefixes, priority,
	strip_prefix, is_shared, host_rewrite, max_body_bytes, headers,
	created_at, updated_at, version, rate_limit_requests,
	rate_limit_window_ms, rate_limit_is_dry_run, condition,
	refuses_websocket, rate_limit_is_told)
VALUES ($1, $2, $3, ARRAY(SELECT jsonb_array_elements_text($4::jsonb)),
	ARRAY(SELECT jsonb_array_elements_text($5::jsonb)), $6, $7, $8, $9,
	$10, $11, to_timestamp($12::bigint / 1000.0),
	to_timestamp($13::bigint / 1000.0), $14, $15, $16, $17, $18, $19,
	$20)

-- The time of creation ($12) stays.
-- name: update_route
UPDATE route SET origin = $2, label = $3,
	domains = ARRAY(SELECT jsonb_array_elements_text($4::jsonb)),
	prefixes = ARRAY(SELECT jsonb_array_elements_text($5::jsonb)),
	priority = $6, strip_prefix = $7, is_shared = $8, host_rewrite = $9,
	max_body_bytes = $10, headers = $11,
	updated_at = to_timestamp($13::bigint / 1000.0), version = $14,
	rate_limit_requests = $15, rate_limit_window_ms = $16,
	rate_limit_is_dry_run = $17, condition = $18,
	refuses_websocket = $19, rate_limit_is_told = $20
WHERE id = $1 AND $21::bigint IN (0, version) AND $12::bigint IS NOT NULL

-- name: delete_route
DELETE FROM route WHERE id = $1 AND $2::bigint IN (0, version)

-- name: insert_route_targets
INSERT INTO route_target (route, position, service, weight)
SELECT $1, ordinality - 1, target ->> 0, (target ->> 1)::bigint
FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS list (target)

-- name: delete_route_targets
DELETE FROM route_target WHERE route = $1

-- name: insert_change
INSERT INTO change (generation, seq, at, who, from_addr, channel, request_id,
	kind, key, action, before, after, cause)
VALUES ($1, $2, to_timestamp($3::bigint / 1000.0), $4, $5, $6, $7, $8, $9,
	$10, $11, $12, $13)

-- What happens beside commits is told behind the latest one.
-- name: lock_generation
SELECT value FROM generation FOR UPDATE

-- name: insert_event
INSERT INTO change (generation, seq, at, who, from_addr, channel, request_id,
	kind, key, action, before, after, cause)
SELECT value, greatest(0,
		(SELECT max(seq) FROM change WHERE generation = value),
		(SELECT seq FROM horizon WHERE generation = value)) + 1,
	to_timestamp($1::bigint / 1000.0), $2, $3, $4, $5, $6, $7, $8,
	$9::jsonb, $10::jsonb, $11
FROM generation

-- name: select_services
SELECT name, origin, policy, hash_header, connect_timeout_ms,
	response_timeout_ms, queue_timeout_ms, retries, probe_kind,
	probe_interval_ms, probe_timeout_ms, probe_rise, probe_fall,
	probe_status_min, probe_status_max, probe_path, probe_host,
	(extract(epoch FROM created_at) * 1000)::bigint,
	(extract(epoch FROM updated_at) * 1000)::bigint, version,
	breaker_threshold, breaker_open_ms, breaker_half_open_requests,
	breaker_window_ms, condition::text
FROM service WHERE name > $1 ORDER BY name LIMIT $2

-- name: select_backends
SELECT id, origin, service, url, weight, max_connections,
	(extract(epoch FROM created_at) * 1000)::bigint,
	(extract(epoch FROM updated_at) * 1000)::bigint, version,
	condition::text
FROM backend WHERE id > $1 ORDER BY id LIMIT $2

-- name: select_routes
SELECT id, origin, label, to_json(domains)::text, to_json(prefixes)::text,
	priority, strip_prefix::integer, is_shared::integer, host_rewrite,
	max_body_bytes, headers::text,
	(extract(epoch FROM created_at) * 1000)::bigint,
	(extract(epoch FROM updated_at) * 1000)::bigint, version,
	rate_limit_requests, rate_limit_window_ms,
	rate_limit_is_dry_run::integer, condition::text,
	refuses_websocket::integer, rate_limit_is_told::integer,
	(SELECT coalesce(json_agg(json_build_array(t.service, t.weight)
		ORDER BY t.position), '[]')::text
	FROM route_target AS t WHERE t.route = r.id)
FROM route AS r WHERE id > $1 ORDER BY id LIMIT $2

-- name: select_changes
SELECT generation, seq, (extract(epoch FROM at) * 1000)::bigint, who,
	from_addr, channel, request_id, kind, key, action, before::text,
	after::text, cause
FROM change
WHERE (generation, seq) > ($1, $5) AND (generation, seq) <= ($2, $6)
	AND ($3::text IS NULL OR kind = $3)
ORDER BY generation, seq LIMIT $4

-- name: select_changes_newest
SELECT generation, seq, (extract(epoch FROM at) * 1000)::bigint, who,
	from_addr, channel, request_id, kind, key, action, before::text,
	after::text, cause
FROM change
WHERE (generation, seq) > ($1, $5) AND (generation, seq) <= ($2, $6)
	AND ($3::text IS NULL OR kind = $3)
ORDER BY generation DESC, seq DESC LIMIT $4

-- name: select_changes_of
SELECT generation, seq, (extract(epoch FROM at) * 1000)::bigint, who,
	from_addr, channel, request_id, kind, key, action, before::text,
	after::text, cause
FROM change
WHERE key = $7 AND (generation, seq) > ($1, $5)
	AND (generation, seq) <= ($2, $6)
	AND ($3::text IS NULL OR kind = $3)
ORDER BY generation, seq LIMIT $4

-- name: select_changes_of_newest
SELECT generation, seq, (extract(epoch FROM at) * 1000)::bigint, who,
	from_addr, channel, request_id, kind, key, action, before::text,
	after::text, cause
FROM change
WHERE key = $7 AND (generation, seq) > ($1, $5)
	AND (generation, seq) <= ($2, $6)
	AND ($3::text IS NULL OR kind = $3)
ORDER BY generation DESC, seq DESC LIMIT $4

-- How far back history reaches: not behind what was removed here, nor
-- behind what is not there for whatever reason.
-- name: select_horizon
SELECT greatest(generation, coalesce(
	(SELECT min(generation) FROM change WHERE generation > 0) - 1,
	(SELECT value FROM generation)))
FROM horizon

-- How many rows there are, and the time of the oldest.
-- name: measure_history
SELECT (SELECT count(*) FROM change), coalesce((
	SELECT (extract(epoch FROM at) * 1000)::bigint
	FROM change ORDER BY generation, seq LIMIT 1), 0)

-- One instance at a time, and nobody waits.  The number is "prune" in
-- ASCII; the lock goes with the transaction.
-- name: lock_pruning
SELECT pg_try_advisory_xact_lock(482956635749)::integer

-- Of the first rows, what is older than a time, and as many as are too many;
-- but not what came after the floor, nor what an instance has yet to follow.
-- name: move_horizon
UPDATE horizon SET generation = gone.generation, seq = gone.seq
FROM (SELECT generation, seq FROM (
		SELECT generation, seq, at,
			row_number() OVER (ORDER BY generation, seq) AS position
		FROM change WHERE generation <= least($1, (
			SELECT min(generation) FROM instance
			WHERE good_until > clock_timestamp()))
		ORDER BY generation, seq LIMIT $2) AS oldest
	WHERE at < to_timestamp($3::bigint / 1000.0) OR position <= $4
	ORDER BY generation DESC, seq DESC LIMIT 1) AS gone

-- name: delete_changes
DELETE FROM change
WHERE (generation, seq) <= (SELECT generation, seq FROM horizon)

-- Stands before all of a transaction that changes notes.
-- name: raise_note_version
UPDATE note_version SET value = value + 1

-- name: put_note
INSERT INTO note (kind, key, seq, body, version)
VALUES ($1, $2, $3, $4, (SELECT value FROM note_version))
ON CONFLICT (kind, key, seq) DO UPDATE
SET body = excluded.body, version = excluded.version

-- What is gone others hear of, if they follow within so many versions.
-- name: delete_note
WITH gone AS (
	DELETE FROM note WHERE kind = $1 AND key = $2 AND seq = $3
	RETURNING kind, key)
INSERT INTO note (kind, key, seq, body, version)
SELECT 'gone', key, 0, kind, (SELECT value FROM note_version)
FROM gone WHERE kind IN ('session', 'token')
ON CONFLICT (kind, key, seq) DO UPDATE SET version = excluded.version

-- name: delete_notes
WITH gone AS (
	DELETE FROM note WHERE kind = $1 AND key = $2
	RETURNING kind, key),
old AS (
	DELETE FROM note WHERE kind = 'gone'
		AND version < (SELECT value - 100000 FROM note_version)
		AND key <> $2)
INSERT INTO note (kind, key, seq, body, version)
SELECT 'gone', key, 0, kind, (SELECT value FROM note_version)
FROM gone WHERE kind IN ('session', 'token')
ON CONFLICT (kind, key, seq) DO UPDATE SET version = excluded.version

-- Sessions come before what they have.
-- name: select_notes
SELECT kind, key, seq, body FROM note WHERE kind <> 'gone'
ORDER BY kind <> 'session', key, kind, seq

-- A session is still that instance's, and stays so until the end.
-- name: hold_session
SELECT 1 FROM note WHERE kind = 'session' AND key = $1
	AND coalesce(body::json->>'owner', '') = $2 FOR UPDATE

-- name: select_note_version
SELECT value FROM note_version

-- What others have to know of sessions and tokens.
-- name: select_notes_since
SELECT kind, key, seq, body FROM note
WHERE version > $1 AND kind IN ('session', 'active', 'token', 'gone')
ORDER BY kind <> 'session', key, kind

-- All of one session.
-- name: select_notes_of
SELECT kind, key, seq, body FROM note
WHERE key = $1 AND kind IN ('session', 'active', 'staged', 'waiting')
ORDER BY kind <> 'session', kind, seq

-- What follows is asked by sluice-store alone.
-- name: is_empty
SELECT (value = 0
	AND NOT EXISTS (SELECT 1 FROM service)
	AND NOT EXISTS (SELECT 1 FROM backend)
	AND NOT EXISTS (SELECT 1 FROM route)
	AND NOT EXISTS (SELECT 1 FROM change)
	AND NOT EXISTS (SELECT 1 FROM note WHERE kind <> 'gone'))::integer
FROM generation

-- name: empty
TRUNCATE generation, service, backend, route, route_target, change, horizon,
	note, note_version

-- name: select_columns
SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped
ORDER BY attnum

-- name: select_last_id
SELECT pg_sequence_last_value(pg_get_serial_sequence($1, 'id')::regclass)

-- name: forget_last_id
SELECT setval(pg_get_serial_sequence($1, 'id'), 1, false)

-- name: put_last_id
SELECT setval(pg_get_serial_sequence($1, 'id'), $2)

-- Very many at once: an array a column.
-- name: insert_backends
INSERT INTO backend (id, origin, service, url, weight, max_connections,
	created_at, updated_at, version, condition)
SELECT a, b, c, d, e, f, to_timestamp(g / 1000.0), to_timestamp(h / 1000.0),
	i, j::jsonb
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::integer[],
	$6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::text[])
	AS new (a, b, c, d, e, f, g, h, i, j)

-- name: insert_routes
INSERT INTO route (id, origin, label, domains, prefixes, priority,
	strip_prefix, is_shared, host_rewrite, max_body_bytes, headers,
	created_at, updated_at, version, rate_limit_requests,
	rate_limit_window_ms, rate_limit_is_dry_run, condition,
	refuses_websocket, rate_limit_is_told)
SELECT a, b, c, d::text[], e::text[], f, g, h, i, j, k::jsonb,
	to_timestamp(l / 1000.0), to_timestamp(m / 1000.0), n, o, p, q,
	r::jsonb, s, t
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[],
	$6::integer[], $7::boolean[], $8::boolean[], $9::text[],
	$10::bigint[], $11::text[], $12::bigint[], $13::bigint[],
	$14::bigint[], $15::bigint[], $16::bigint[], $17::boolean[],
	$18::text[], $19::boolean[], $20::boolean[])
	AS new (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t)

-- name: insert_targets_of
INSERT INTO route_target (route, position, service, weight)
SELECT new.route, ordinality - 1, target ->> 0, (target ->> 1)::bigint
FROM unnest($1::bigint[], $2::text[]) AS new (route, targets),
	jsonb_array_elements(new.targets::jsonb)
		WITH ORDINALITY AS list (target)

-- name: insert_changes
INSERT INTO change (generation, seq, at, who, from_addr, channel, request_id,
	kind, key, action, before, after, cause)
SELECT a, b, to_timestamp(c / 1000.0), d, e, f, g, h, i, j, k::jsonb,
	l::jsonb, m
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[],
	$5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
	$10::text[], $11::text[], $12::text[], $13::text[])
	AS new (a, b, c, d, e, f, g, h, i, j, k, l, m)

-- Followers.  The payload is a generation and nothing else.
-- name: notify
SELECT pg_notify('sluice_generation', $1)

-- name: listen
LISTEN sluice_generation

-- How many changes there are behind a generation, at most so many, and for
-- how many milliseconds the oldest of them has been there.
-- name: count_news
SELECT count(*), coalesce((extract(epoch FROM
	clock_timestamp() - min(at)) * 1000)::bigint, 0)
FROM (SELECT at FROM change WHERE generation > $1
	ORDER BY generation, seq LIMIT $2) AS news

-- Each object that was changed since and is there, found by its key.
-- name: select_services_since
SELECT s.name, s.origin, s.policy, s.hash_header, s.connect_timeout_ms,
	s.response_timeout_ms, s.queue_timeout_ms, s.retries, s.probe_kind,
	s.probe_interval_ms, s.probe_timeout_ms, s.probe_rise, s.probe_fall,
	s.probe_status_min, s.probe_status_max, s.probe_path, s.probe_host,
	(extract(epoch FROM s.created_at) * 1000)::bigint,
	(extract(epoch FROM s.updated_at) * 1000)::bigint, s.version,
	s.breaker_threshold, s.breaker_open_ms, s.breaker_half_open_requests,
	s.breaker_window_ms, s.condition::text
FROM (SELECT DISTINCT key FROM change
	WHERE generation > $1 AND kind = 'service') AS news,
	LATERAL (SELECT * FROM service WHERE name = news.key OFFSET 0) AS s

-- name: select_backends_since
SELECT b.id, b.origin, b.service, b.url, b.weight, b.max_connections,
	(extract(epoch FROM b.created_at) * 1000)::bigint,
	(extract(epoch FROM b.updated_at) * 1000)::bigint, b.version,
	b.condition::text
FROM (SELECT DISTINCT key FROM change
	WHERE generation > $1 AND kind = 'backend') AS news,
	LATERAL (SELECT * FROM backend WHERE id = news.key::bigint
		OFFSET 0) AS b

-- name: select_routes_since
SELECT r.id, r.origin, r.label, to_json(r.domains)::text,
	to_json(r.prefixes)::text, r.priority, r.strip_prefix::integer,
	r.is_shared::integer, r.host_rewrite, r.max_body_bytes,
	r.headers::text, (extract(epoch FROM r.created_at) * 1000)::bigint,
	(extract(epoch FROM r.updated_at) * 1000)::bigint, r.version,
	r.rate_limit_requests, r.rate_limit_window_ms,
	r.rate_limit_is_dry_run::integer, r.condition::text,
	r.refuses_websocket::integer, r.rate_limit_is_told::integer,
	(SELECT coalesce(json_agg(json_build_array(t.service, t.weight)
		ORDER BY t.position), '[]')::text
	FROM route_target AS t WHERE t.route = r.id)
FROM (SELECT DISTINCT key FROM change
	WHERE generation > $1 AND kind = 'route') AS news,
	LATERAL (SELECT * FROM route WHERE id = news.key::bigint
		OFFSET 0) AS r

-- What was removed since, last what others lean on.  Some of it may have
-- come back.
-- name: select_gone_since
SELECT DISTINCT position(kind IN 'route backend service'), kind, key
FROM change
WHERE generation > $1 AND action = 'delete'
ORDER BY 1, kind, key

-- Instances.  What they write of themselves need not survive a crash of the
-- server: no commit waits for the disk.
-- name: commit_lazily
SELECT set_config('synchronous_commit', 'off', true)

-- The name, the run, the host, the version, when it was started; the
-- generation, for how many milliseconds the row is good, and whether it is
-- taken over from another run.
-- name: put_instance
INSERT INTO instance AS i (name, run, host, version, started_at, generation,
	seen_at, good_until)
VALUES ($1, $2, $3, $4, to_timestamp($5::bigint / 1000.0), $6, now(),
	now() + $7::bigint * interval '1 millisecond')
ON CONFLICT (name) DO UPDATE SET run = excluded.run, host = excluded.host,
	version = excluded.version, started_at = excluded.started_at,
	generation = excluded.generation, seen_at = excluded.seen_at,
	good_until = excluded.good_until
WHERE i.run = excluded.run OR $8::bigint = 1

-- name: delete_instance
DELETE FROM instance WHERE name = $1 AND run = $2

-- Those that were stale for a day.
-- name: forget_instances
DELETE FROM instance WHERE good_until < now() - interval '1 day'

-- name: select_instances
SELECT i.name, i.run, i.host, i.version,
	(extract(epoch FROM i.started_at) * 1000)::bigint, i.generation,
	greatest(g.value - i.generation, 0),
	(extract(epoch FROM i.seen_at) * 1000)::bigint,
	(i.good_until < now())::integer
FROM instance AS i, generation AS g ORDER BY i.name

-- name: notify_instances
SELECT pg_notify('sluice_instances', $1)

-- name: listen_instances
LISTEN sluice_instances

-- Who waits for a generation asks all to tell when they show it.
-- name: notify_wanted
SELECT pg_notify('sluice_wanted', $1)

-- name: listen_wanted
LISTEN sluice_wanted

-- How many connections others' sluices have to this database.
-- name: count_users
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database()
	AND application_name IN ('sluice', 'sluice news')
	AND pid <> pg_backend_pid()

-- Commits that were kept while this server was away: none is made twice.
-- name: select_played
SELECT generation, (extract(epoch FROM played_at) * 1000)::bigint
FROM spool_played WHERE id = $1

-- Those that no instance can ask for any more go.
-- name: insert_played
WITH old AS (DELETE FROM spool_played
	WHERE played_at < now() - interval '30 days')
INSERT INTO spool_played (id, generation, played_at)
VALUES ($1, $2, to_timestamp($3::bigint / 1000.0))
