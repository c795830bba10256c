/*
 * conf/settings.h - the configuration, read and checked.
 *
 * master reads the file; every role parses the very text that master
 * accepted (a sealed memfd).  What is here is plain values in the units
 * that the names say; all strings are owned by the struct settings and
 * never NULL ("" when not set).
 *
 * The rows that make the grammar, the defaults, the checks and the dump
 * stand in conf/rows.c, nowhere else.  sluice.conf(5) must name each.
 */
/* SPDX-License-Identifier: ISC */
#ifndef CONF_SETTINGS_H
#define CONF_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/compat.h"
#include "common/log.h"

#define CONF_LISTENS_MAX 64

/* listen "0.0.0.0:8080" { backlog = 4096 } */
struct listen_setting {
	char *address;			/* checked by url_parse_listen() */
	uint32_t backlog;
	uint32_t space;			/* host space; 0 */
	char where[160];		/* "file:line"; "": not in a file */
};

struct address_list {
	char **list;
	uint32_t count;
};

enum store_outage { OUTAGE_REFUSE, OUTAGE_SPOOL };
enum store_driver { STORE_MEMORY, STORE_SQLITE, STORE_POSTGRES };
/* What becomes of a session's routes while its client is away. */
enum on_disconnect { ON_DISCONNECT_KEEP, ON_DISCONNECT_DISABLE };
enum access_format { ACCESS_COMBINED, ACCESS_JSON, ACCESS_CUSTOM };

enum tls_version { TLS_1_2, TLS_1_3 };

#define SETTING_WHERE_SIZE 160		/* "file:line"; "": not in a file */

/* Listeners that speak TLS, with what they show. */
struct tls_setting {
	struct address_list listen;
	char *certificate, *key, *client_ca; /* paths; key "" : beside the
					      * certificate; client_ca "" :
					      * clients need show none */
	char *ciphers;			/* of TLS 1.2; "" : ours */
	enum tls_version min_version;
	int64_t handshake_timeout_ms;
	char certificate_where[SETTING_WHERE_SIZE];
	char key_where[SETTING_WHERE_SIZE];
	char client_ca_where[SETTING_WHERE_SIZE];
	char ciphers_where[SETTING_WHERE_SIZE];
};

/* service "NAME" { backends = { "http://..." } policy = "round_robin" ... } */
struct static_service {
	char *name;
	struct address_list backends;	/* URLs */
	char *policy;			/* names as in sluice-api(7) */
	char *hash_header;
	char *health_path;		/* "" : a connect is the probe */
	uint32_t line;			/* in the file, for messages */
};

/* route "NAME" { domains = {..} prefixes = {..} service = "NAME" ... } */
struct static_route {
	char *name;
	struct address_list domains, prefixes;
	char *service;
	int32_t priority;
	bool strip_prefix;
	uint32_t line;
};

/* registration { token "NAME" { secret = "..." services = {..} ... } } */
struct static_token {
	char *name;
	char *secret, *hash;		/* one is ""; the SHA-256 in hex */
	struct address_list services, domains, prefixes; /* empty: all */
};

struct settings {
	/* the program */
	uint32_t workers;		/* as written; 0: one a processor */
	char *instance;			/* names the segment; "default" */
	char *user, *group;		/* "" : stay who we are */
	char *state_dir, *runtime_dir;
	char *pid_file;			/* "" : RUNTIME_DIR/sluice.pid */
	char *program_dir;		/* where the roles' programs are */
	uint32_t max_connections;	/* of clients, of one worker */
	int64_t shutdown_timeout_ms;

	struct listen_setting listens[CONF_LISTENS_MAX];
	uint32_t listen_count;

	struct {
		struct address_list listen;
		int64_t grace_ms, idle_timeout_ms, staged_expiry_ms;
		int64_t poll_interval_ms; /* of MAINT_ENTER, MAINT_EXIT */
		uint32_t poll_limit;	/* rounds */
		enum on_disconnect on_disconnect;
		struct tls_setting tls;
	} registration;

	struct {
		struct address_list listen; /* unix: relative to runtime_dir */
		uint64_t body_limit_bytes;
	} admin;

	struct {
		enum store_driver driver;
		char *url, *listen_url;	/* listen_url "" : url */
		bool pooler;		/* url leads to one, of transactions */
		char *path;		/* path "" : STATE_DIR/sluice.db */
		uint32_t pool_size, pool_idle;
		int64_t connection_lifetime_ms, query_timeout_ms;
		int64_t follow_interval_ms, heartbeat_ms;
		uint32_t max_shrink;	/* percent of the routes, at once */
		enum store_outage outage; /* of PostgreSQL */
		int64_t history_age_ms;	/* 0: without bound */
		uint32_t history_rows;	/* likewise */
	} store;

	struct {			/* presets, where a service has none */
		int64_t interval_ms, timeout_ms;
		uint32_t rise, fall;
	} health;

	struct {
		char *access;		/* path, "stderr", "syslog", "off" */
		enum access_format format;
		char *custom;		/* the format string of ACCESS_CUSTOM */
		char *error;		/* path, "stderr", "syslog" */
		enum log_level level;
	} log;

	struct {			/* data plane; sluice.conf(5), http */
		int64_t client_head_timeout_ms, client_body_timeout_ms;
		int64_t keepalive_timeout_ms;
		int64_t connect_timeout_ms, backend_timeout_ms;
		int64_t upstream_keepalive_ms, tunnel_timeout_ms;
		int64_t queue_timeout_ms;
		uint64_t max_body_bytes; /* 0: unlimited */
		uint32_t min_rate_bytes; /* a second, of a body; 0: off */
		int64_t min_rate_after_ms;
		uint32_t upstream_idle_max; /* kept-alive, a backend,
					     * a worker */
		uint32_t retry_budget_percent;
		int64_t suspect_ms;	/* a backend that failed is avoided */
		struct address_list trusted_proxies; /* address or CIDR */
		bool forwarded, traceparent, proxy_status; /* switches */
	} http;

	struct {
		uint32_t routes, services, backends, limit_cells;
	} segment;

	struct static_service *services;
	uint32_t service_count;
	struct static_route *routes;
	uint32_t route_count;
	struct static_token *tokens;
	uint32_t token_count;
};

/* -o name=value, in the order given. */
struct setting_override {
	const char *name;		/* "workers", "store.driver" */
	const char *value;
};

/*
 * Reads a file, its includes, the overrides and the environment
 * (DB_DRIVER, DATABASE_*, SLUICE_SECTION_KEY).  Precedence, highest
 * first: -o, environment, file, default.
 *
 * path NULL: defaults, overrides and environment alone.
 * errors   each fault as one line "file:line: what, what to do", more
 *          than one if there are more.  Warnings begin "file:line: warning:".
 *
 * Returns 0, or -1 with *settings_r NULL and errors filled.
 */
MUST_CHECK int settings_read(const char *path,
    const struct setting_override *overrides, uint32_t override_count,
    struct settings **settings_r, struct buf *errors);

/* Parses a text that settings_print() wrote, for roles.  0 or -1. */
MUST_CHECK int settings_parse(struct bytes text, struct settings **settings_r,
    struct buf *errors);

/*
 * Writes the effective configuration: one flat file with every setting,
 * that reads back to the same values.  Without secrets passwords in URLs
 * become "***".
 */
void settings_print(const struct settings *, bool with_secrets, struct buf *);

void settings_free(struct settings **);

/* What a reload from old to new takes. */
enum settings_change {
	SETTINGS_SAME,
	SETTINGS_IN_PLACE,		/* roles take it over as they run */
	SETTINGS_NEW_WORKERS,		/* listeners differ */
	SETTINGS_RESTART,		/* cannot change while running */
};

/* names gets the settings that ask for the answer, comma-separated. */
enum settings_change settings_compare(const struct settings *old,
    const struct settings *new, struct buf *names);

/* Puts the values that only a restart can change back to those of old.
 * Returns 0, or -1 when out of memory, with some of them put back. */
MUST_CHECK int settings_keep_fixed(const struct settings *old,
    struct settings *new);

/* Calls back for each setting: for -T, man-page tests, completion. */
typedef void settings_row_fn(void *context, const char *name,
    const char *preset, bool is_reloadable);
void settings_each_row(settings_row_fn *, void *context);

#endif
