/*
 * conf/rows.c - the table of settings; nothing about them stands elsewhere.
 */
/* SPDX-License-Identifier: ISC */
#include "conf/rows.h"

#include "conf/checks.h"

#define AT(member) offsetof(struct settings, member)

#define SECONDS(n) ((n) * UINT64_C(1000))
#define HOURS(n)   SECONDS((n) * UINT64_C(3600))
#define DAYS(n)	   HOURS((n) * UINT64_C(24))
#define KIB(n)	   ((n) * UINT64_C(1024))

static const struct setting_word driver_words[] = {
	{ "memory", STORE_MEMORY },
	{ "sqlite", STORE_SQLITE },
	{ "sqlite3", STORE_SQLITE },
	{ "postgres", STORE_POSTGRES },
	{ "postgresql", STORE_POSTGRES },
	{ NULL, 0 },
};

static const struct setting_word outage_words[] = {
	{ "refuse", OUTAGE_REFUSE },
	{ "spool", OUTAGE_SPOOL },
	{ NULL, 0 },
};

static const struct setting_word disconnect_words[] = {
	{ "keep", ON_DISCONNECT_KEEP },
	{ "disable", ON_DISCONNECT_DISABLE },
	{ NULL, 0 },
};

static const struct setting_word tls_version_words[] = {
	{ "1.2", TLS_1_2 },
	{ "1.3", TLS_1_3 },
	{ NULL, 0 },
};

static const struct setting_word level_words[] = {
	{ "error", LOG_LEVEL_ERROR },
	{ "warn", LOG_LEVEL_WARN },
	{ "notice", LOG_LEVEL_NOTICE },
	{ "info", LOG_LEVEL_INFO },
	{ "debug", LOG_LEVEL_DEBUG },
	{ NULL, 0 },
};

#define SPAN(name, member, least, most, text)                                  \
	{ name, SETTING_SPAN, AT(member), least, most, text,                   \
	  SETTINGS_IN_PLACE, NULL, NULL, false }
#define COUNT(name, member, least, most, text, change)                         \
	{ name, SETTING_COUNT, AT(member), least, most, text, change, NULL,    \
	  NULL, false }
#define STRING(name, member, text, change, check)                              \
	{ name, SETTING_STRING, AT(member), 0, 0, text, change, NULL, check,   \
	  false }
#define SWITCH(name, member, text)                                             \
	{ name, SETTING_BOOL, AT(member), 0, 0, text, SETTINGS_IN_PLACE, NULL, \
	  NULL, false }
#define LIST(name, member, text, change, check)                                \
	{ name, SETTING_LIST, AT(member), 0, 0, text, change, NULL, check,     \
	  false }

/* In the order of sluice.conf(5); check-settings-documented fails on a
 * row without an entry there. */
static const struct setting rows[] = {
	COUNT("workers", workers, 0, 128, "0", SETTINGS_IN_PLACE),
	STRING("instance", instance, "default", SETTINGS_RESTART,
	    check_instance),
	STRING("user", user, "", SETTINGS_RESTART, NULL),
	STRING("group", group, "", SETTINGS_RESTART, NULL),
	STRING("state_dir", state_dir, LOCALSTATEDIR "/lib/sluice",
	    SETTINGS_RESTART, check_absolute_path),
	STRING("runtime_dir", runtime_dir, "/run/sluice", SETTINGS_RESTART,
	    check_absolute_path),
	STRING("pid_file", pid_file, "", SETTINGS_RESTART,
	    check_optional_path),
	STRING("program_dir", program_dir, PROGRAMDIR, SETTINGS_RESTART,
	    check_absolute_path),
	COUNT("max_connections", max_connections, 1, 1000000, "10000",
	    SETTINGS_IN_PLACE),
	SPAN("shutdown_timeout", shutdown_timeout_ms, 0, DAYS(1), "30s"),
	{ "listen", SETTING_LISTENS, AT(listens), 0, 0, "0.0.0.0:8080",
	  SETTINGS_NEW_WORKERS, NULL, check_listen, false },

	LIST("registration.listen", registration.listen, "127.0.0.1:8181",
	    SETTINGS_RESTART, check_listen),
	SPAN("registration.grace", registration.grace_ms, 0, DAYS(7), "5m"),
	SPAN("registration.idle_timeout", registration.idle_timeout_ms,
	    SECONDS(1), DAYS(1), "5m"),
	{ "registration.on_disconnect", SETTING_ENUM,
	  AT(registration.on_disconnect), 0, 0, "keep", SETTINGS_IN_PLACE,
	  disconnect_words, NULL, false },
	SPAN("registration.poll_interval", registration.poll_interval_ms, 10,
	    HOURS(1), "1s"),
	COUNT("registration.poll_limit", registration.poll_limit, 1, 100000,
	    "60", SETTINGS_IN_PLACE),
	SPAN("registration.staged_expiry", registration.staged_expiry_ms,
	    SECONDS(1), DAYS(7), "30m"),
	LIST("registration.tls_listen", registration.tls.listen, "",
	    SETTINGS_RESTART, check_listen),
	STRING("registration.tls_certificate", registration.tls.certificate,
	    "", SETTINGS_IN_PLACE, check_optional_path),
	STRING("registration.tls_key", registration.tls.key, "",
	    SETTINGS_IN_PLACE, check_optional_path),
	STRING("registration.tls_client_ca", registration.tls.client_ca, "",
	    SETTINGS_IN_PLACE, check_optional_path),
	{ "registration.tls_min_version", SETTING_ENUM,
	  AT(registration.tls.min_version), 0, 0, "1.2", SETTINGS_IN_PLACE,
	  tls_version_words, NULL, false },
	STRING("registration.tls_ciphers", registration.tls.ciphers, "",
	    SETTINGS_IN_PLACE, NULL),
	SPAN("registration.tls_handshake_timeout",
	    registration.tls.handshake_timeout_ms, 100, HOURS(1), "10s"),

	LIST("admin.listen", admin.listen, "unix:admin.sock,127.0.0.1:9180",
	    SETTINGS_RESTART, check_listen),
	{ "admin.body_limit", SETTING_SIZE, AT(admin.body_limit_bytes),
	  KIB(64), KIB(1024) * 1024, "16MiB", SETTINGS_IN_PLACE, NULL, NULL,
	  false },

	{ "store.driver", SETTING_ENUM, AT(store.driver), 0, 0, "sqlite",
	  SETTINGS_RESTART, driver_words, NULL, false },
	{ "store.url", SETTING_STRING, AT(store.url), 0, 0, "",
	  SETTINGS_RESTART, NULL, NULL, true },
	{ "store.listen_url", SETTING_STRING, AT(store.listen_url), 0, 0, "",
	  SETTINGS_RESTART, NULL, NULL, true },
	{ "store.pooler", SETTING_BOOL, AT(store.pooler), 0, 0, "false",
	  SETTINGS_RESTART, NULL, NULL, false },
	STRING("store.path", store.path, "", SETTINGS_RESTART,
	    check_optional_path),
	COUNT("store.pool_size", store.pool_size, 1, 1000, "10",
	    SETTINGS_RESTART),
	COUNT("store.pool_idle", store.pool_idle, 0, 1000, "5",
	    SETTINGS_RESTART),
	{ "store.connection_lifetime", SETTING_SPAN,
	  AT(store.connection_lifetime_ms), 0, DAYS(365), "1h",
	  SETTINGS_RESTART, NULL, NULL, false },
	{ "store.query_timeout", SETTING_SPAN, AT(store.query_timeout_ms),
	  10, HOURS(1), "5s", SETTINGS_RESTART, NULL, NULL, false },
	SPAN("store.follow_interval", store.follow_interval_ms, 100, HOURS(1),
	    "5s"),
	SPAN("store.heartbeat", store.heartbeat_ms, SECONDS(1), HOURS(1),
	    "10s"),
	COUNT("store.max_shrink", store.max_shrink, 1, 100, "50",
	    SETTINGS_IN_PLACE),
	{ "store.outage", SETTING_ENUM, AT(store.outage), 0, 0, "refuse",
	  SETTINGS_IN_PLACE, outage_words, NULL, false },
	SPAN("store.history_age", store.history_age_ms, 0, DAYS(36500),
	    "90d"),
	COUNT("store.history_rows", store.history_rows, 0, 1000000000,
	    "2000000", SETTINGS_IN_PLACE),

	SPAN("health.interval", health.interval_ms, 10, DAYS(1), "5s"),
	SPAN("health.timeout", health.timeout_ms, 10, HOURS(1), "2s"),
	COUNT("health.rise", health.rise, 1, 1000, "2", SETTINGS_IN_PLACE),
	COUNT("health.fall", health.fall, 1, 1000, "3", SETTINGS_IN_PLACE),

	STRING("log.access", log.access, "off", SETTINGS_IN_PLACE,
	    check_access_target),
	{ "log.format", SETTING_FORMAT, AT(log), 0, 0, "combined",
	  SETTINGS_IN_PLACE, NULL, check_log_format, false },
	STRING("log.error", log.error, "stderr", SETTINGS_IN_PLACE,
	    check_error_target),
	{ "log.level", SETTING_ENUM, AT(log.level), 0, 0, "notice",
	  SETTINGS_IN_PLACE, level_words, NULL, false },

	SPAN("http.client_head_timeout", http.client_head_timeout_ms, 100,
	    HOURS(1), "10s"),
	SPAN("http.client_body_timeout", http.client_body_timeout_ms, 100,
	    DAYS(1), "60s"),
	SPAN("http.keepalive_timeout", http.keepalive_timeout_ms, 0, DAYS(1),
	    "75s"),
	SPAN("http.connect_timeout", http.connect_timeout_ms, 10, HOURS(1),
	    "5s"),
	SPAN("http.backend_timeout", http.backend_timeout_ms, 10, DAYS(1),
	    "60s"),
	SPAN("http.upstream_keepalive", http.upstream_keepalive_ms, 0, DAYS(1),
	    "55s"),
	SPAN("http.tunnel_timeout", http.tunnel_timeout_ms, SECONDS(1),
	    DAYS(30), "1h"),
	SPAN("http.queue_timeout", http.queue_timeout_ms, 0, HOURS(1), "5s"),
	{ "http.max_body", SETTING_SIZE, AT(http.max_body_bytes), 0,
	  UINT64_C(1) << 62, "0", SETTINGS_IN_PLACE, NULL, NULL, false },
	{ "http.min_rate", SETTING_RATE, AT(http.min_rate_bytes), 0,
	  KIB(1024) * 1024, "100B", SETTINGS_IN_PLACE, NULL, NULL, false },
	SPAN("http.min_rate_after", http.min_rate_after_ms, SECONDS(1),
	    HOURS(1), "10s"),
	COUNT("http.upstream_idle_max", http.upstream_idle_max, 0, 65536,
	    "1024",
	    SETTINGS_IN_PLACE),
	COUNT("http.retry_budget_percent", http.retry_budget_percent, 0, 100,
	    "10", SETTINGS_IN_PLACE),
	SPAN("http.suspect", http.suspect_ms, 0, HOURS(1), "10s"),
	LIST("http.trusted_proxies", http.trusted_proxies, "",
	    SETTINGS_IN_PLACE, check_network),
	SWITCH("http.forwarded", http.forwarded, "false"),
	SWITCH("http.traceparent", http.traceparent, "false"),
	SWITCH("http.proxy_status", http.proxy_status, "false"),

	COUNT("segment.routes", segment.routes, 16, 16777216, "1048576",
	    SETTINGS_RESTART),
	COUNT("segment.services", segment.services, 16, 16777216, "262144",
	    SETTINGS_RESTART),
	COUNT("segment.backends", segment.backends, 16, 16777216, "262144",
	    SETTINGS_RESTART),
	COUNT("segment.limit_cells", segment.limit_cells, 16, 16777216,
	    "1048576", SETTINGS_RESTART),
};

static const struct titled_setting titled_rows[] = {
	{ "registration.token.secret", "", false },
	{ "registration.token.hash", "", false },
	{ "registration.token.services", "", true },
	{ "registration.token.domains", "", true },
	{ "registration.token.prefixes", "", true },
	{ "listen.backlog", "4096", false },
	{ "service.backends", "", true },
	{ "service.policy", "round_robin", false },
	{ "service.hash_header", "", false },
	{ "service.health_path", "", false },
	{ "route.domains", "", true },
	{ "route.prefixes", "/", true },
	{ "route.service", "", false },
	{ "route.priority", "0", false },
	{ "route.strip_prefix", "false", false },
};

const struct setting *
setting_rows(size_t *count_r)
{
	*count_r = COUNT_OF(rows);
	return rows;
}

const struct titled_setting *
titled_setting_rows(size_t *count_r)
{
	*count_r = COUNT_OF(titled_rows);
	return titled_rows;
}

struct bytes
titled_setting_section(const struct titled_setting *row)
{
	const char *dot = strrchr(row->name, '.');

	return bytes_slice(row->name, (size_t)(dot - row->name));
}

const struct setting *
setting_find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

const char *
setting_key(const struct setting *row)
{
	size_t len = setting_section_len(row);

	return len == 0 ? row->name : row->name + len + 1;
}

size_t
setting_section_len(const struct setting *row)
{
	const char *dot = strchr(row->name, '.');

	return dot == NULL ? 0 : (size_t)(dot - row->name);
}
