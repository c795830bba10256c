/*
 * tests/unit/conf/test_settings.c - the configuration, sentence by sentence.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf/settings.h"

static struct settings *
read_good(const char *text)
{
	struct settings *settings;
	struct buf errors = { 0 };

	if (settings_parse(bytes_of(text), &settings, &errors) == -1)
		fail_msg("%s: %s", text, errors.data);
	buf_free(&errors);
	return settings;
}

/* What is wrong with a text: all lines of it. */
static const struct {
	const char *sentence, *text, *errors;
} faults[] = {
	{ "an unknown name is named with its line", "\n\nworker = 2\n",
	  "settings:3: worker: no such setting; see sluice.conf(5)\n" },
	{ "an unknown name in a section carries the section's",
	  "store {\n drver = memory\n}\n",
	  "settings:2: store.drver: no such setting; see sluice.conf(5)\n" },
	{ "two unknown names are both found",
	  "a = 1\nworkers = x\nstore { b = {1, 2} }\n",
	  "settings:1: a: no such setting; see sluice.conf(5)\n"
	  "settings:3: store.b: no such setting; see sluice.conf(5)\n"
	  "settings:2: workers: 'x' is no whole number; from 0 to 128\n" },
	{ "a section inside another has the names of both",
	  "registration {\n token \"a\" {\n secret = 0123456789abcdef\n"
	  " colour = red\n}\n}\n",
	  "settings:4: registration.token.colour: no such setting; see "
	  "sluice.conf(5)\n" },
	{ "a token has a secret or a hash, and one of them",
	  "registration {\n token \"a\" {\n services = {b}\n }\n}\n",
	  "settings:3: token \"a\": give a secret, or its hash\n" },
	{ "a token's secret is long, its hash one, its name plain",
	  "registration { token \"a b\" { hash = 12 }\n"
	  "token \"c\" { secret = short }\n}",
	  "settings:1: token \"a b\": is no name of a token; use 1 to 24 "
	  "letters, digits, '_', '.' and '-'\n"
	  "settings:1: token \"a b\": hash: is no SHA-256; give 64 of 0-9 "
	  "and a-f\n"
	  "settings:2: token \"c\": secret: is not of 16 to 127 bytes; try "
	  "openssl rand -hex 32\n" },
	{ "TLS takes a certificate", "registration { tls_listen = { \":1\" } }",
	  "settings:1: registration.tls_listen: no certificate; set "
	  "registration.tls_certificate\n" },
	{ "a time needs a unit", "shutdown_timeout = 30\n",
	  "settings:1: shutdown_timeout: '30' is no span of time; give a "
	  "number and a unit (ms, s, m, h, d); from 0s to 1d\n" },
	{ "a size needs a unit", "http { max_body = 100 }\n",
	  "settings:1: http.max_body: '100' is no size; give a whole number "
	  "and a unit (B, KiB, MiB, GiB); from 0 to 4294967296GiB\n" },
	{ "a number is kept in its range", "workers = 1000",
	  "settings:1: workers: '1000' is out of range; from 0 to 128\n" },
	{ "a word is one of its row's", "store { driver = oracle }",
	  "settings:1: store.driver: 'oracle' is unknown; give one of memory, "
	  "sqlite, sqlite3, postgres, postgresql\n" },
	{ "a switch is true or false", "http { forwarded = maybe }",
	  "settings:1: http.forwarded: 'maybe' is neither true nor false\n" },
	{ "a path is absolute", "state_dir = \"var\"",
	  "settings:1: state_dir: 'var': is no absolute path; begin it with "
	  "'/'\n" },
	{ "a network is an address or address/bits",
	  "http { trusted_proxies = { 10.0.0.0/8, fd00::/129 } }",
	  "settings:1: http.trusted_proxies: 'fd00::/129': is no network; "
	  "give an address such as 10.1.2.3 or fd00::1, or address/bits\n" },
	{ "a log format without a $name is a slip", "log { format = jsn }",
	  "settings:1: log.format: 'jsn': is no log format; give combined, "
	  "json, or a text with $names in single quotes\n" },
	{ "an instance has a plain name", "instance = \"a/b\"",
	  "settings:1: instance: 'a/b': is no name of an instance; use 1 to 64 "
	  "letters, digits, '_' and '-'\n" },
	{ "a missing brace is found", "store {\n driver = memory\n",
	  "settings:3: the file ends too soon; look for a missing quote, '}' "
	  "or '*/'\n" },
	{ "a missing quote is found", "user = \"me\nworkers = 2\n",
	  "settings:3: the file ends too soon; look for a missing quote, '}' "
	  "or '*/'\n" },
	{ "a comment that does not end is found", "/* user = me\n",
	  "settings:2: the file ends too soon; look for a missing quote, '}' "
	  "or '*/'\n" },
	{ "a missing equal sign is found", "workers 2\n",
	  "settings:1: missing equal sign after option 'workers'\n" },
	{ "a listener stands once",
	  "listen \":80\" {}\nlisten \":80\" {}\n",
	  "settings:2: found duplicate title ':80'\n" },
	{ "PostgreSQL needs an address", "store {\n\n driver = postgres }",
#ifdef HAVE_POSTGRESQL
	  "settings:3: store: postgres: no url; set store.url or "
	  "DATABASE_URL, e.g. postgres://user@host/database\n"
#else
	  "settings:3: store: postgres: not built in; configure "
	  "--with-postgresql\n"
#endif
	},
	{ "a policy is one of the known",
	  "service \"a\" {\n policy = best\n}",
	  "settings:2: service \"a\": policy: 'best': is unknown; give "
	  "round_robin, least_connections, two_choices, hash_client or "
	  "hash_header\n" },
	{ "a route leads to a service", "route \"r\" {\n domains = {\"a\"} }",
	  "settings:2: route \"r\": service: missing; name the service that "
	  "the route leads to\n" },
	{ "a priority is a whole number",
	  "route \"r\" { service = a\n priority = 1.5 }",
	  "settings:2: route \"r\": priority: '1.5': is no whole number from "
	  "-1000000 to 1000000\n" },
	{ "a text that roles get has no includes", "include(\"/etc/passwd\")",
	  "settings:1: include: no such setting; see sluice.conf(5)\n" },
	{ "an unknown section is a name that is not known",
	  "user = a\nfoo \"x\" { a = 1 }",
	  "settings:2: foo: no such setting; see sluice.conf(5)\n" },
	{ "a star outside of quotes is not lost",
	  "user = a\nroute \"r\" { domains = { *.b.example } }",
	  "settings:2: a '*' outside of quotes; put the text in quotes\n" },
	{ "comments of all kinds leave the lines as they are",
	  "# one\n// two 'it\n/* three\nfour */ user = http://a#b\n"
	  "group = \"#\\\"${A\"}//\" # '\n\nworkers = x",
	  "settings:7: workers: 'x' is no whole number; from 0 to 128\n" },
};

static void
faults_name_file_line_and_cure(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		struct settings *settings;
		struct buf errors = { 0 };

		if (settings_parse(bytes_of(faults[i].text), &settings,
		    &errors) == 0)
			fail_msg("%s: read without a fault",
			    faults[i].sentence);
		assert_null(settings);
		if (strcmp(errors.data, faults[i].errors) != 0)
			fail_msg("%s:\n%s", faults[i].sentence, errors.data);
		buf_free(&errors);
	}
}

static void
an_empty_text_gives_the_defaults(void **state)
{
	struct settings *settings = read_good("");

	(void)state;
	assert_int_equal(settings->workers, 0);
	assert_string_equal(settings->instance, "default");
	assert_string_equal(settings->user, "");
	assert_string_equal(settings->runtime_dir, "/run/sluice");
	assert_int_equal(settings->shutdown_timeout_ms, 30000);
	assert_int_equal(settings->listen_count, 1);
	assert_string_equal(settings->listens[0].address, "0.0.0.0:8080");
	assert_int_equal(settings->listens[0].backlog, 4096);
	assert_int_equal(settings->registration.listen.count, 1);
	assert_string_equal(settings->registration.listen.list[0],
	    "127.0.0.1:8181");
	assert_int_equal(settings->admin.listen.count, 2);
	assert_string_equal(settings->admin.listen.list[0], "unix:admin.sock");
	assert_string_equal(settings->admin.listen.list[1], "127.0.0.1:9180");
	assert_int_equal(settings->store.driver, STORE_SQLITE);
	assert_int_equal(settings->store.pool_size, 10);
	assert_int_equal(settings->store.pool_idle, 5);
	assert_int_equal(settings->store.connection_lifetime_ms, 3600000);
	assert_int_equal(settings->http.client_head_timeout_ms, 10000);
	assert_int_equal(settings->http.tunnel_timeout_ms, 3600000);
	assert_int_equal(settings->http.max_body_bytes, 0);
	assert_int_equal(settings->http.min_rate_bytes, 100);
	assert_int_equal(settings->log.format, ACCESS_COMBINED);
	assert_int_equal(settings->log.level, LOG_LEVEL_NOTICE);
	settings_free(&settings);
	assert_null(settings);
}

static void
a_route_serves_every_path_unless_it_says(void **state)
{
	struct settings *settings =
	    read_good("route \"r\" { service = s prefixes = {} }");

	(void)state;
	assert_int_equal(settings->route_count, 1);
	assert_int_equal(settings->routes[0].prefixes.count, 1);
	assert_string_equal(settings->routes[0].prefixes.list[0], "/");
	assert_int_equal(settings->routes[0].domains.count, 0);
	settings_free(&settings);
}

static const char *const full_text =
    "# a comment\n"
    "workers = 3\n"
    "user = 'it\\'s'\n"
    "listen \"127.0.0.1:1\" { backlog = 16 }\n"
    "listen \"unix:/tmp/\\\"s\" { }\n"
    "registration { listen = {} grace = 1m30s tls_listen = { \":2\" }\n"
    "  tls_certificate = /c tls_min_version = 1.3\n"
    "  token \"ci\" { secret = '${HOME}0123456789' prefixes = { /a } } }\n"
    "store { driver = memory url = 'postgres://u:p@h/${HOME}' }\n"
    "log { format = '\"$request\"\\\\ $status\\'' level = debug }\n"
    "http { trusted_proxies = { ::1, 10.0.0.0/8 } max_body = 3MiB\n"
    "  min_rate = 1KiB forwarded = on }\n"
    "service \"users\" { backends = { \"http://127.0.0.1:1/a\" }\n"
    "  policy = hash_header hash_header = x-user health_path = /ok }\n"
    "route \"r\" { domains = { a.example, \"*.b.example\" }\n"
    "  prefixes = { /s1 }\n"
    "  service = users priority = -3 strip_prefix = yes }\n";

static void
print_reads_back_to_equal_values(void **state)
{
	struct settings *first = read_good(full_text), *second;
	struct buf once = { 0 }, twice = { 0 }, names = { 0 };

	(void)state;
	assert_int_equal(first->workers, 3);
	assert_string_equal(first->log.custom, "\"$request\"\\ $status'");
	assert_string_equal(first->store.url, "postgres://u:p@h/${HOME}");
	assert_int_equal(first->registration.listen.count, 0);
	assert_int_equal(first->listen_count, 2);
	assert_int_equal(first->services[0].line, 13);
	settings_print(first, true, &once);
	second = read_good(once.data);
	settings_print(second, true, &twice);
	assert_string_equal(once.data, twice.data);
	assert_int_equal(settings_compare(first, second, &names),
	    SETTINGS_SAME);
	assert_string_equal(second->log.custom, first->log.custom);
	assert_string_equal(second->store.url, first->store.url);
	assert_string_equal(second->routes[0].service, "users");
	assert_int_equal(second->routes[0].priority, -3);
	assert_true(second->routes[0].strip_prefix);
	assert_int_equal(second->routes[0].domains.count, 2);
	assert_string_equal(second->tokens[0].secret, "${HOME}0123456789");
	assert_int_equal(second->tokens[0].prefixes.count, 1);
	assert_int_equal(second->registration.tls.min_version, TLS_1_3);
	buf_free(&once);
	buf_free(&twice);
	buf_free(&names);
	settings_free(&first);
	settings_free(&second);
}

/* Any text goes through a file and comes back. */
static void
any_text_reads_back(void **state)
{
	static const char bytes[] = "a'\"\\$ {}\n#;,=/*\t\r~\xff%";
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 500; round++) {
		struct settings *settings = read_good(""), *again;
		struct buf text = { 0 };
		size_t len;

		seed = seed * 1103515245 + 12345;
		len = seed >> 16 & 15;
		free(settings->user);
		settings->user = calloc(1, len + 1);
		for (size_t i = 0; i < len; i++) {
			seed = seed * 1103515245 + 12345;
			settings->user[i] =
			    bytes[(seed >> 16) % (sizeof(bytes) - 1)];
		}
		settings->workers = (seed >> 8) % 129;
		settings->shutdown_timeout_ms = (int64_t)(seed % 86400000);
		settings->http.max_body_bytes = seed;
		settings_print(settings, true, &text);
		again = read_good(text.data);
		assert_string_equal(settings->user, again->user);
		assert_int_equal(settings->workers, again->workers);
		assert_int_equal(settings->shutdown_timeout_ms,
		    again->shutdown_timeout_ms);
		assert_int_equal(settings->http.max_body_bytes,
		    again->http.max_body_bytes);
		buf_free(&text);
		settings_free(&settings);
		settings_free(&again);
	}
}

static const struct {
	const char *url, *shown;
} secrets[] = {
	{ "postgres://u:pw@h/d", "postgres://u:***@h/d" },
	{ "postgres://u@h/d", "postgres://u@h/d" },
	{ "postgres://h/d?user=u&password=pw&x=1",
	  "postgres://h/d?user=u&password=***&x=1" },
	{ "host=h password=pw user=u", "host=h password=*** user=u" },
	{ "host=h password = 'p w\\' x' user=u",
	  "host=h password = *** user=u" },
	{ "postgres://u:p@ss@h/d", "postgres://u:***@h/d" },
	{ "postgres://u:p/w@h/d", "postgres://u:***@h/d" },
};

static void
passwords_are_not_shown(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(secrets); i++) {
		struct settings *settings = read_good("");
		struct buf text = { 0 };
		char want[200];

		free(settings->store.url);
		settings->store.url = strdup(secrets[i].url);
		settings_print(settings, false, &text);
		snprintf(want, sizeof(want), "\turl = \"%s\"\n",
		    secrets[i].shown);
		if (strstr(text.data, want) == NULL)
			fail_msg("%s: %s", want, text.data);
		buf_free(&text);
		settings_free(&settings);
	}
}

static const struct {
	const char *sentence, *before, *after;
	enum settings_change want;
	const char *names;
} changes[] = {
	{ "nothing changed", "workers = 2", "workers = 2", SETTINGS_SAME, "" },
	{ "the same value in other words", "http { queue_timeout = 60s }",
	  "http { queue_timeout = 1m }", SETTINGS_SAME, "" },
	{ "time-outs change in place", "",
	  "workers = 2 http { queue_timeout = 1m }", SETTINGS_IN_PLACE,
	  "workers, http.queue_timeout" },
	{ "another listener takes new workers", "",
	  "workers = 2 listen \"127.0.0.1:81\" {}", SETTINGS_NEW_WORKERS,
	  "listen" },
	{ "another backlog takes new workers", "listen \":81\" {}",
	  "listen \":81\" { backlog = 5 }", SETTINGS_NEW_WORKERS, "listen" },
	{ "another store takes a restart", "workers = 3",
	  "store { driver = memory } instance = x listen \":81\" {}",
	  SETTINGS_RESTART, "instance, store.driver" },
	{ "tokens change in place",
	  "registration { token \"a\" { secret = 0123456789abcdef } }",
	  "registration { token \"a\" { secret = 0123456789abcdeF } }",
	  SETTINGS_IN_PLACE, "registration.token" },
	{ "certificates change in place, listeners with TLS do not",
	  "registration { tls_listen = { \":1\" } tls_certificate = /a }",
	  "registration { tls_listen = { \":1\" } tls_certificate = /b }",
	  SETTINGS_IN_PLACE, "registration.tls_certificate" },
	{ "static services change in place", "service \"a\" {}",
	  "service \"a\" { backends = {\"http://h:1\"} }",
	  SETTINGS_IN_PLACE, "service" },
};

static void
compare_says_what_a_reload_takes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		struct settings *before = read_good(changes[i].before);
		struct settings *after = read_good(changes[i].after);
		struct buf names = { 0 };

		buf_append_text(&names, "");
		if (settings_compare(before, after, &names) !=
		    changes[i].want)
			fail_msg("%s", changes[i].sentence);
		if (!bytes_is(buf_bytes(&names), changes[i].names))
			fail_msg("%s: %s", changes[i].sentence, names.data);
		buf_free(&names);
		settings_free(&before);
		settings_free(&after);
	}
}

static struct settings *
read_overridden(const struct setting_override *overrides, uint32_t count,
    struct buf *errors)
{
	struct settings *settings;

	if (settings_read(NULL, overrides, count, &settings, errors) == -1)
		return NULL;
	return settings;
}

static void
the_environment_overrides(void **state)
{
	const struct setting_override override = { "workers", "5" };
	struct buf errors = { 0 };
	struct settings *settings;

	(void)state;
	setenv("DB_DRIVER", "memory", 1);
	setenv("DATABASE_PATH", "/x.db", 1);
	setenv("DATABASE_POOL_SIZE", "7", 1);
	setenv("DATABASE_MAX_IDLE_CONNS", "many", 1);
	setenv("DATABASE_CONN_MAX_LIFETIME", "90", 1);
	setenv("SLUICE_WORKERS", "4", 1);
	setenv("SLUICE_HTTP_TRUSTED_PROXIES", "::1, 10.0.0.0/8", 1);
	setenv("SLUICE_LISTEN", "127.0.0.1:1,127.0.0.1:2", 1);
	settings = read_overridden(&override, 1, &errors);
	assert_non_null(settings);
	assert_int_equal(settings->store.driver, STORE_MEMORY);
	assert_string_equal(settings->store.path, "/x.db");
	assert_int_equal(settings->store.pool_size, 7);
	assert_int_equal(settings->store.pool_idle, 5);
	assert_int_equal(settings->store.connection_lifetime_ms, 90000);
	assert_int_equal(settings->workers, 5);
	assert_int_equal(settings->http.trusted_proxies.count, 2);
	assert_int_equal(settings->listen_count, 2);
	assert_string_equal(settings->listens[1].address, "127.0.0.1:2");
	assert_string_equal(errors.data,
	    "DATABASE_MAX_IDLE_CONNS: warning: 'many' is no whole number; "
	    "from 0 to 1000; store.pool_idle = 5 is used\n");
	settings_free(&settings);
	buf_clear(&errors);

	setenv("SLUICE_WORKERS", "all", 1);
	assert_null(read_overridden(NULL, 0, &errors));
	assert_non_null(strstr(errors.data,
	    "SLUICE_WORKERS: workers: 'all' is no whole number"));
	unsetenv("DB_DRIVER");
	unsetenv("DATABASE_PATH");
	unsetenv("DATABASE_POOL_SIZE");
	unsetenv("DATABASE_MAX_IDLE_CONNS");
	unsetenv("DATABASE_CONN_MAX_LIFETIME");
	unsetenv("SLUICE_WORKERS");
	unsetenv("SLUICE_HTTP_TRUSTED_PROXIES");
	unsetenv("SLUICE_LISTEN");
	buf_free(&errors);
}

/* What a bad value of the environment's is told, and the default used. */
static const struct {
	const char *variable, *value, *warning;
} bad_values[] = {
	{ "DATABASE_POOL_SIZE", "0", "store.pool_size = 10 is used" },
	{ "DATABASE_POOL_SIZE", "-1", "store.pool_size = 10 is used" },
	{ "DATABASE_POOL_SIZE", "1001", "store.pool_size = 10 is used" },
	{ "DATABASE_POOL_SIZE", "ten", "store.pool_size = 10 is used" },
	{ "DATABASE_MAX_IDLE_CONNS", "1.5", "store.pool_idle = 5 is used" },
	{ "DATABASE_CONN_MAX_LIFETIME", "soon",
	  "store.connection_lifetime = \"1h\" is used" },
	{ "DATABASE_CONN_MAX_LIFETIME", "-5s",
	  "store.connection_lifetime = \"1h\" is used" },
	{ "DATABASE_PATH", "sluice.db", "store.path = \"\" is used" },
};

static void
bad_values_of_the_environment_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad_values); i++) {
		struct buf errors = { 0 };
		struct settings *settings;

		setenv(bad_values[i].variable, bad_values[i].value, 1);
		settings = read_overridden(NULL, 0, &errors);
		unsetenv(bad_values[i].variable);
		if (settings == NULL || errors.data == NULL ||
		    strstr(errors.data, bad_values[i].warning) == NULL ||
		    strstr(errors.data, "warning") == NULL)
			fail_msg("%s=%s: %s", bad_values[i].variable,
			    bad_values[i].value,
			    errors.data == NULL ? "" : errors.data);
		assert_int_equal(settings->store.pool_size, 10);
		assert_int_equal(settings->store.pool_idle, 5);
		assert_int_equal(settings->store.connection_lifetime_ms,
		    3600 * 1000);
		settings_free(&settings);
		buf_free(&errors);
	}
}

static void
an_unknown_driver_is_a_fault(void **state)
{
	struct buf errors = { 0 };

	(void)state;
	setenv("DB_DRIVER", "oracle", 1);
	assert_null(read_overridden(NULL, 0, &errors));
	unsetenv("DB_DRIVER");
	assert_non_null(strstr(errors.data, "DB_DRIVER: store.driver: "
	    "'oracle' is unknown; give one of memory, sqlite"));
	buf_free(&errors);
}

static const struct {
	const char *sentence, *text, *warnings;
} advices[] = {
	{ "a short interval alone is no fault", "health { interval = 1s }",
	  "" },
	{ "a time-out longer than the interval is told",
	  "health {\n interval = 1s\n timeout = 2s }",
	  "settings:3: warning: health.timeout: longer than health.interval; "
	  "probes of a dead backend come at the pace of the time-out\n" },
	{ "an address without its driver is told", "store { url = a }",
	  "settings:1: warning: store.url: not used; set store.driver, or "
	  "DB_DRIVER, to postgres\n" },
	{ "a small pool has fewer idle ones", "store { pool_size = 3 }", "" },
	{ "more idle ones than there may be are told",
	  "store {\n pool_size = 3\n pool_idle = 4 }",
	  "settings:3: warning: store.pool_idle: more than store.pool_size; 3 "
	  "is used\n" },
};

static void
warnings_leave_the_settings_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(advices); i++) {
		struct settings *settings;
		struct buf errors = { 0 };

		if (settings_parse(bytes_of(advices[i].text), &settings,
		    &errors) == -1)
			fail_msg("%s: %s", advices[i].sentence, errors.data);
		if (!bytes_is(buf_bytes(&errors), advices[i].warnings))
			fail_msg("%s: %s", advices[i].sentence,
			    errors.len > 0 ? errors.data : "nothing");
		assert_true(settings->store.pool_idle <=
		    settings->store.pool_size);
		settings_free(&settings);
		buf_free(&errors);
	}
}

static void
an_unknown_override_is_a_fault(void **state)
{
	const struct setting_override override = { "wrkers", "5" };
	struct buf errors = { 0 };

	(void)state;
	assert_null(read_overridden(&override, 1, &errors));
	assert_string_equal(errors.data,
	    "-o: wrkers: no such setting; see sluice.conf(5)\n");
	buf_free(&errors);
}

static void
write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void
includes_are_found_beside_the_file(void **state)
{
	char dir[] = "/tmp/sluice-conf-XXXXXX", path[256], part[256], want[600];
	struct buf errors = { 0 };
	struct settings *settings;

	(void)state;
	assert_non_null(mkdtemp(dir));
	write_file(dir, "main", "workers = 2\ninclude(\"part\")\nuser = u\n");
	write_file(dir, "part", "store { driver = memory }\nworkers = 3\n");
	snprintf(path, sizeof(path), "%s/main", dir);
	snprintf(part, sizeof(part), "%s/part", dir);
	assert_int_equal(settings_read(path, NULL, 0, &settings, &errors), 0);
	assert_int_equal(settings->workers, 3);
	assert_int_equal(settings->store.driver, STORE_MEMORY);
	assert_string_equal(settings->user, "u");
	settings_free(&settings);

	write_file(dir, "part", "\nworkers = y\n");
	for (int i = 0; i < 20; i++) {
		buf_clear(&errors);
		assert_int_equal(settings_read(path, NULL, 0, &settings,
		    &errors), -1);
	}
	snprintf(want, sizeof(want),
	    "%s:2: workers: 'y' is no whole number; from 0 to 128\n", part);
	assert_string_equal(errors.data, want);

	buf_clear(&errors);
	write_file(dir, "part", "include(\"part\")\n");
	assert_int_equal(settings_read(path, NULL, 0, &settings, &errors), -1);
	assert_non_null(strstr(errors.data, "does it include itself?"));
	buf_clear(&errors);
	unlink(part);
	assert_int_equal(settings_read(path, NULL, 0, &settings, &errors), -1);
	assert_non_null(strstr(errors.data, "main:2: include: "));
	buf_clear(&errors);
	unlink(path);
	assert_int_equal(settings_read(path, NULL, 0, &settings, &errors), -1);
	assert_non_null(strstr(errors.data, "No such file"));
	buf_free(&errors);
	rmdir(dir);
}

static void
the_sample_is_good(void **state)
{
	const char *top = getenv("srcdir");
	struct buf errors = { 0 };
	struct settings *settings;
	char path[512];

	(void)state;
	snprintf(path, sizeof(path), "%s/etc/sluice.conf",
	    top == NULL ? "." : top);
	if (settings_read(path, NULL, 0, &settings, &errors) == -1)
		fail_msg("%s", errors.data);
	assert_int_equal(errors.len, 0);
	assert_string_equal(settings->user, "sluice");
	settings_free(&settings);
	buf_free(&errors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_text_gives_the_defaults),
		cmocka_unit_test(faults_name_file_line_and_cure),
		cmocka_unit_test(a_route_serves_every_path_unless_it_says),
		cmocka_unit_test(print_reads_back_to_equal_values),
		cmocka_unit_test(any_text_reads_back),
		cmocka_unit_test(passwords_are_not_shown),
		cmocka_unit_test(compare_says_what_a_reload_takes),
		cmocka_unit_test(the_environment_overrides),
		cmocka_unit_test(bad_values_of_the_environment_are_told),
		cmocka_unit_test(an_unknown_driver_is_a_fault),
		cmocka_unit_test(warnings_leave_the_settings_good),
		cmocka_unit_test(an_unknown_override_is_a_fault),
		cmocka_unit_test(includes_are_found_beside_the_file),
		cmocka_unit_test(the_sample_is_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
