/*
 * registryd/store/object.h - services, backends and routes as the store has
 * them.
 *
 * Plain values, owned: every string is malloc()ed and never NULL ("" when
 * not set), freed by the *_clear functions.  The store fills and reads
 * them, the model keeps them, the API shows them.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_OBJECT_H
#define REGISTRYD_STORE_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/compat.h"
#include "shm/route_spec.h"

enum object_kind {
	OBJECT_SERVICE,
	OBJECT_BACKEND,
	OBJECT_ROUTE,
};

/* How an object came to be; decides who may change or expire it. */
enum object_origin {
	ORIGIN_API,			/* /v1 */
	ORIGIN_REGISTER,		/* POST /register */
	ORIGIN_FILE,			/* a static section;
					 * never in the store */
	ORIGIN_SESSION,			/* the registration protocol */
};

struct object_times {
	int64_t created_wall_ms, updated_wall_ms;
	uint64_t version;		/* generation of its latest change */
};

enum drain_outcome {
	DRAIN_PENDING,			/* none, or its deadline is to come */
	DRAIN_CLEAN,			/* nothing was left at the deadline */
	DRAIN_FORCED,			/* something was cut at the deadline */
};

/*
 * Maintenance and drain: an operator's orders, with who gave them and
 * why.  Wall-clock; the publisher turns that into the table's clock.
 * All zero and "" (or NULL): no condition.
 */
struct condition {
	bool in_maintenance;
	int64_t maintenance_at_wall_ms;
	int64_t maintenance_until_wall_ms; /* 0: until told */
	char *maintenance_who, *maintenance_reason;
	char *page_url;			/* "": the built-in page */
	char *allow;			/* addresses and CIDRs by commas */
	int64_t drain_at_wall_ms;	/* 0: no drain */
	int64_t drain_span_ms;
	char *drain_who, *drain_reason;
	enum drain_outcome drain_outcome;
};

struct service {
	char *name;			/* the key */
	enum object_origin origin;
	enum balance_policy policy;
	char *hash_header;
	uint32_t connect_timeout_ms, response_timeout_ms, queue_timeout_ms;
	uint32_t retries;
	enum probe_kind probe_kind;
	uint32_t probe_interval_ms, probe_timeout_ms; /* 0: the setting's */
	uint32_t probe_rise, probe_fall;	      /* 0: the setting's */
	uint32_t probe_status_min, probe_status_max;
	char *probe_path, *probe_host;
	struct breaker_spec breaker;
	struct condition condition;
	struct object_times times;
};

struct backend {
	uint64_t id;			/* the key; 0: not given yet */
	enum object_origin origin;
	char *service;
	char *url;			/* as url_parse_backend() takes it */
	uint32_t weight, max_connections;
	struct condition condition;
	struct object_times times;
};

struct route_target_name {
	char *service;
	uint32_t weight;
};

struct route {
	uint64_t id;			/* the key; 0: not given yet */
	enum object_origin origin;
	char *label;			/* "" : made as SERVICE-ID */
	char **domains;			/* canonical; "" is the default host */
	uint32_t domain_count;
	char **prefixes;		/* canonical */
	uint32_t prefix_count;
	int32_t priority;
	struct route_target_name targets[TABLE_TARGETS_MAX];
	uint32_t target_count;
	bool strip_prefix;
	bool refuses_websocket;
	bool is_shared;			/* on_conflict = "share" */
	char *host_rewrite;
	uint64_t max_body_bytes;
	struct header_edit *headers;	/* names and values owned */
	uint32_t header_count;
	struct rate_limit_spec rate_limit;
	struct condition condition;
	struct object_times times;
};

/* The halves of a condition, taken back; frees and empties. */
void condition_end_maintenance(struct condition *);
void condition_end_drain(struct condition *);
void condition_clear(struct condition *);
MUST_CHECK int condition_copy(const struct condition *,
    struct condition *copy_r);
/* Whether nothing is ordered. */
bool condition_is_none(const struct condition *);

void service_clear(struct service *);
void backend_clear(struct backend *);
void route_clear(struct route *);

/* Deep copies.  0, or -1 when out of memory (*copy_r is cleared). */
MUST_CHECK int service_copy_object(const struct service *,
    struct service *copy_r);
MUST_CHECK int backend_copy_object(const struct backend *,
    struct backend *copy_r);
MUST_CHECK int route_copy_object(const struct route *, struct route *copy_r);

/* The words of API and database: "api", "round_robin", "http", ...
 * *_parse: 0, or -1 when the word is unknown. */
const char *object_kind_name(enum object_kind);
const char *object_origin_name(enum object_origin);
const char *balance_policy_name(enum balance_policy);
const char *probe_kind_name(enum probe_kind);
const char *drain_outcome_name(enum drain_outcome);
MUST_CHECK int object_kind_parse(const char *, enum object_kind *kind_r);
MUST_CHECK int object_origin_parse(const char *, enum object_origin *origin_r);
MUST_CHECK int balance_policy_parse(const char *,
    enum balance_policy *policy_r);
MUST_CHECK int probe_kind_parse(const char *, enum probe_kind *kind_r);
MUST_CHECK int drain_outcome_parse(const char *,
    enum drain_outcome *outcome_r);

#endif
