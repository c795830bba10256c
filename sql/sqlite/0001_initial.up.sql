-- The first schema: services, backends, routes and their history.
-- Times are milliseconds since 1970, UTC.  Versions are the generation of
-- the latest change.

CREATE TABLE generation (
	only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
	value INTEGER NOT NULL CHECK (value >= 0)
) STRICT;
INSERT INTO generation VALUES (1, 0);

CREATE TABLE service (
	name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 255),
	origin TEXT NOT NULL
		CHECK (origin IN ('api', 'register', 'session')),
	policy TEXT NOT NULL CHECK (policy IN ('round_robin',
		'least_connections', 'two_choices', 'hash_client',
		'hash_header')),
	hash_header TEXT NOT NULL,
	connect_timeout_ms INTEGER NOT NULL CHECK (connect_timeout_ms >= 0),
	response_timeout_ms INTEGER NOT NULL CHECK (response_timeout_ms >= 0),
	queue_timeout_ms INTEGER NOT NULL CHECK (queue_timeout_ms >= 0),
	retries INTEGER NOT NULL CHECK (retries >= 0),
	probe_kind TEXT NOT NULL
		CHECK (probe_kind IN ('off', 'connect', 'http')),
	probe_interval_ms INTEGER NOT NULL CHECK (probe_interval_ms >= 0),
	probe_timeout_ms INTEGER NOT NULL CHECK (probe_timeout_ms >= 0),
	probe_rise INTEGER NOT NULL CHECK (probe_rise >= 0),
	probe_fall INTEGER NOT NULL CHECK (probe_fall >= 0),
	probe_status_min INTEGER NOT NULL CHECK (probe_status_min >= 0),
	probe_status_max INTEGER NOT NULL CHECK (probe_status_max >= 0),
	probe_path TEXT NOT NULL,
	probe_host TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	version INTEGER NOT NULL CHECK (version > 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE backend (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	origin TEXT NOT NULL
		CHECK (origin IN ('api', 'register', 'session')),
	service TEXT NOT NULL REFERENCES service (name) ON DELETE RESTRICT,
	url TEXT NOT NULL CHECK (url <> ''),
	weight INTEGER NOT NULL CHECK (weight BETWEEN 0 AND 65535),
	max_connections INTEGER NOT NULL CHECK (max_connections >= 0),
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	version INTEGER NOT NULL CHECK (version > 0)
) STRICT;
CREATE INDEX backend_by_service ON backend (service);

-- domains, prefixes and headers are JSON arrays.
CREATE TABLE route (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	origin TEXT NOT NULL
		CHECK (origin IN ('api', 'register', 'session')),
	label TEXT NOT NULL,
	domains TEXT NOT NULL CHECK (json_valid(domains)),
	prefixes TEXT NOT NULL CHECK (json_valid(prefixes)),
	priority INTEGER NOT NULL,
	strip_prefix INTEGER NOT NULL CHECK (strip_prefix IN (0, 1)),
	is_shared INTEGER NOT NULL CHECK (is_shared IN (0, 1)),
	host_rewrite TEXT NOT NULL,
	max_body_bytes INTEGER NOT NULL CHECK (max_body_bytes >= 0),
	headers TEXT NOT NULL CHECK (json_valid(headers)),
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	version INTEGER NOT NULL CHECK (version > 0)
) STRICT;

-- Part of its route: the services that the route is split over.
CREATE TABLE route_target (
	route INTEGER NOT NULL REFERENCES route (id) ON DELETE CASCADE,
	position INTEGER NOT NULL CHECK (position >= 0),
	service TEXT NOT NULL REFERENCES service (name) ON DELETE RESTRICT,
	weight INTEGER NOT NULL CHECK (weight >= 0),
	PRIMARY KEY (route, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX route_target_by_service ON route_target (service);

-- One row a change: the audit trail, and what rollback reads.
CREATE TABLE change (
	generation INTEGER NOT NULL CHECK (generation > 0),
	seq INTEGER NOT NULL CHECK (seq > 0),
	at INTEGER NOT NULL,
	who TEXT NOT NULL,
	from_addr TEXT NOT NULL,
	channel TEXT NOT NULL,
	request_id TEXT NOT NULL,
	kind TEXT NOT NULL CHECK (kind IN ('service', 'backend', 'route')),
	key TEXT NOT NULL,
	action TEXT NOT NULL
		CHECK (action IN ('create', 'update', 'delete')),
	before TEXT CHECK (before IS NULL OR json_valid(before)),
	after TEXT CHECK (after IS NULL OR json_valid(after)),
	PRIMARY KEY (generation, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX change_by_key ON change (key, generation, seq);
