/*
 * shm/route_spec.h - what the route table says, as plain values.
 *
 * The writer (registryd) fills these in to publish; a reader gets them
 * back, copied out of the table.  Nothing here lies in shared memory.
 * Strings are borrowed: of the caller when writing, of the caller's
 * arena when reading.
 */
/* SPDX-License-Identifier: ISC */
#ifndef SHM_ROUTE_SPEC_H
#define SHM_ROUTE_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"

#define TABLE_NONE	   UINT32_MAX	/* no slot */
#define TABLE_NAME_MAX	   255		/* service names, labels; bytes */
#define TABLE_HOST_MAX	   255
#define TABLE_PATH_MAX	   1024		/* a route's prefix */
#define TABLE_DEPTH_MAX	   63		/* segments in a prefix */
#define TABLE_TARGETS_MAX  16		/* services of one route */
#define TABLE_SHARED_MAX   64		/* routes at one host and prefix */
#define TABLE_BACKENDS_MAX 65536	/* backends of one service */
#define TABLE_HEADERS_MAX  32		/* header edits of one route */

/* How a service picks among its backends. */
enum balance_policy {
	BALANCE_ROUND_ROBIN,		/* smooth, weighted */
	BALANCE_LEAST_CONNECTIONS,	/* fewest in flight for its weight */
	BALANCE_TWO_CHOICES,		/* the better of two random ones */
	BALANCE_HASH_CLIENT,		/* consistent, by client address */
	BALANCE_HASH_HEADER,		/* consistent, by a request field */
};

enum backend_kind {
	BACKEND_TCP,			/* host and port */
	BACKEND_UNIX,			/* host is the socket's path */
};

/*
 * Maintenance and drain, of a backend, a route or a service: operators'
 * orders.  Their clock is CLOCK_MONOTONIC, so that whoever reads the
 * table computes ends and shares alone.  All zero: no condition.
 */
struct condition_spec {
	bool in_maintenance;
	int64_t maintenance_until_ns;	/* 0: until told */
	struct bytes page_url;		/* empty: the built-in page */
	struct bytes allow;		/* addresses and CIDRs by commas */
	int64_t drain_start_ns;		/* 0: no drain */
	int64_t drain_span_ms;
};

/* Requests that one client address may make in a window; of a route. */
struct rate_limit_spec {
	uint32_t requests;		/* 0: no limit */
	uint32_t window_ms;
	bool is_dry_run;		/* count, refuse nothing */
	bool is_told;			/* with each answer, not only 429 */
};

/* When a backend is taken out for its failures; of a service. */
struct breaker_spec {
	uint32_t threshold;		/* failures; 0: no breaker */
	uint32_t open_ms;		/* before trials go out */
	uint32_t half_open_requests;	/* trials that must succeed */
	uint32_t window_ms;		/* 0: failures in a row count */
};

struct backend_spec {
	uint64_t id;			/* the store's */
	uint32_t service;		/* slot; TABLE_NONE when of none yet */
	uint32_t weight;		/* 0 .. 65535; 0 takes no traffic */
	enum backend_kind kind;
	uint16_t port;
	struct bytes host;		/* name, address without brackets,
					 * path */
	struct bytes base_path;		/* "" or "/api": put before the path */
	uint32_t max_connections;	/* 0: unlimited; of one worker */
	struct condition_spec condition;
};

enum probe_kind {
	PROBE_OFF,
	PROBE_CONNECT,			/* a TCP or unix connect is enough */
	PROBE_HTTP,			/* GET path, expects a status */
};

struct probe_spec {
	enum probe_kind kind;
	uint32_t interval_ms, timeout_ms;
	uint16_t rise, fall;		/* in a row; at least 1 */
	uint16_t status_min, status_max; /* answers that count as good */
	struct bytes path;		/* behind the backend's base_path */
	struct bytes host;		/* Host field; empty: host:port */
};

struct service_spec {
	struct bytes name;
	enum balance_policy policy;
	struct bytes hash_header;	/* for BALANCE_HASH_HEADER,
					 * lower case */
	uint32_t connect_timeout_ms;	/* 0 in these three: the setting's */
	uint32_t response_timeout_ms;
	uint32_t queue_timeout_ms;
	uint32_t retries;		/* other backends tried; 0 or 1 */
	struct probe_spec probe;
	struct breaker_spec breaker;
	struct condition_spec condition;
	const uint32_t *backends;	/* slots */
	uint32_t backend_count;
};

enum header_edit_op {
	HEADER_SET,			/* replaces all of that name */
	HEADER_ADD,
	HEADER_REMOVE,
};

struct header_edit {
	enum header_edit_op op;
	bool of_request;		/* false: of the response */
	struct bytes name, value;
};

struct route_target {
	uint32_t service;		/* slot */
	uint32_t weight;		/* share among the targets;
					 * 0 takes none */
};

/* What each request looks at stands together, up to the first target. */
struct route_spec {
	uint64_t id;			/* the store's */
	uint64_t max_body_bytes;	/* 0: the setting's */
	struct bytes host_rewrite;	/* empty: the client's Host */
	const struct header_edit *headers;
	uint32_t header_count;
	uint32_t target_count;
	struct rate_limit_spec rate_limit;
	bool strip_prefix;		/* /s2/x is forwarded as /x */
	bool refuses_websocket;		/* 403 to an upgrade to it */
	struct route_target targets[TABLE_TARGETS_MAX];
	struct bytes label;		/* for logs and metrics,
					 * e.g. "users-7" */
	struct condition_spec condition;
};

/* Where routes hang: a host and a prefix of a listener's host space. */
struct path_key {
	uint32_t space;			/* 0 unless listeners are told apart */
	struct bytes host;		/* lower case; "*.suffix"; "":
					 * default */
	struct bytes prefix;		/* normalised; "/" or "/a/b",
					 * no last / */
};

/* The routes of one path_key: one, or several that share it. */
struct path_spec {
	int32_t priority;		/* higher wins over a longer prefix */
	const uint32_t *routes;		/* slots */
	uint32_t route_count;		/* 1 .. TABLE_SHARED_MAX */
};

#endif
