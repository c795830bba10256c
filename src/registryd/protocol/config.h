/*
 * registryd/protocol/config.h - what a session wants: its routes and all
 * that belongs to them.
 *
 * Plain values, no I/O.  A session has two: what is active, and what is
 * staged on top of it.  Copies are cheap: routes are shared until one of
 * them is changed, so that a route that is the same pointer in both is
 * the same.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_PROTOCOL_CONFIG_H
#define REGISTRYD_PROTOCOL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/json.h"
#include "registryd/protocol/line.h"

#define CONFIG_ROUTES_MAX 100000	/* of one session */
#define CONFIG_PAIRS_MAX  1000

/* A header or an option. */
struct pair {
	char *name;
	char *value;			/* NULL: it is to be taken away */
};

struct pairs {
	struct pair *list;
	uint32_t count;
};

struct session_route {
	uint32_t references;
	uint32_t number;		/* 7 of "r7" */
	char **domains;			/* as given, trimmed */
	uint32_t domain_count;
	char **hosts;			/* canonical; NULL: malformed */
	char *path, *url;		/* as given */
	char *prefix;			/* the path, canonical; or NULL */
	int32_t priority;
	struct pairs headers, options;	/* go before those of the session */
	bool has_health, has_limit, has_breaker;
	char *health_path;
	int64_t health_interval_ms, health_timeout_ms;
	uint32_t limit_requests;
	int64_t limit_window_ms;
	uint32_t breaker_threshold, breaker_half_open;
	int64_t breaker_open_ms;
};

struct session_config {
	struct session_route **routes;	/* by number */
	uint32_t count, size;
	struct pairs headers, options;	/* of ALL */
	uint32_t next_number;
};

void config_init(struct session_config *);
void config_clear(struct session_config *);
/* 0, or -1 when out of memory (*copy_r is clear). */
MUST_CHECK int config_copy(const struct session_config *,
    struct session_config *copy_r);

/* "r7"; NULL when there is none. */
const struct session_route *config_find(const struct session_config *,
    struct bytes id);
const struct session_route *config_find_number(const struct session_config *,
    uint32_t number);

/* Whether route is among those that the target means: "ALL", or ids,
 * paths and domains by commas. */
bool target_has(struct bytes target, const struct session_route *);

/*
 * Carries out a staging command (command_scope() is not SCOPE_NONE).
 * Returns NULL, or the error's text; the config may be changed in part
 * then, so callers stage into a copy.
 */
MUST_CHECK const char *config_stage(struct session_config *,
    const struct protocol_line *);

/* config_route.c */
MUST_CHECK const char *stage_route_add(struct session_config *,
    const struct protocol_line *);
MUST_CHECK const char *stage_route_add_bulk(struct session_config *,
    const struct protocol_line *);
MUST_CHECK const char *stage_route_update(struct session_config *,
    const struct protocol_line *);

/* Sets a list of domains, or a path, with what they are canonically. */
MUST_CHECK int route_add_host(struct session_route *, struct bytes domain);
void route_clear_hosts(struct session_route *);

/* NULL, or why it is no URL of a backend. */
MUST_CHECK const char *backend_url_fault(struct bytes url);

/* config_pairs.c */
MUST_CHECK const char *stage_headers_set(struct session_config *,
    const struct protocol_line *);
MUST_CHECK const char *stage_headers_remove(struct session_config *,
    const struct protocol_line *);
MUST_CHECK const char *stage_options_set(struct session_config *,
    const struct protocol_line *);
MUST_CHECK const char *stage_options_remove(struct session_config *,
    const struct protocol_line *);
/* The route's, else the session's; NULL: neither has one. */
const char *config_option(const struct session_config *,
    const struct session_route *, const char *key);

void pairs_clear(struct pairs *);
MUST_CHECK int pairs_copy(const struct pairs *, struct pairs *copy_r);
/* NULL when there is none; names of headers compare without case. */
const struct pair *pairs_find(const struct pairs *, const char *name);
bool pairs_equal(const struct pairs *, const struct pairs *);

/* The route at an index, to be changed: nobody else's.  NULL: out of
 * memory. */
struct session_route *config_own(struct session_config *, uint32_t index);
MUST_CHECK int config_add(struct session_config *, struct session_route *);
void session_route_release(struct session_route *);

/* config_text.c */

/* The config as lines that config_stage() makes it of again, each with
 * the number of the next route before it. */
void config_write_lines(const struct session_config *, struct buf *);
/* Reads such a line into a config.  NULL, or the error's text. */
MUST_CHECK const char *config_stage_text(struct session_config *,
    struct bytes text);
/* The JSON of CONFIG_DIFF. */
void config_write_diff(struct json_writer *, const struct session_config *
    active, const struct session_config *staged);
/* The JSON of ROUTE_LIST. */
void config_write_routes(struct json_writer *, const struct session_config *
    active, const struct session_config *staged);
/* How many routes are staged: added, changed or to be removed. */
uint32_t config_staged_count(const struct session_config *active,
    const struct session_config *staged);

#endif
