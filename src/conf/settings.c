/*
 * conf/settings.c - the configuration, read and checked.
 */
/* SPDX-License-Identifier: ISC */
#include "conf/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "conf/file.h"
#include "conf/grammar.h"
#include "conf/overrides.h"
#include "conf/statics.h"
#include "conf/value.h"

static void
check_pool(struct draft *draft)
{
	struct settings *settings = draft->settings;
	const char *where = draft_origin(draft, "store.pool_idle");

	if (settings->store.pool_idle <= settings->store.pool_size)
		return;
	if (*where != '\0')
		draft_warn(draft, where,
		    "store.pool_idle: more than store.pool_size; %u is used",
		    settings->store.pool_size);
	settings->store.pool_idle = settings->store.pool_size;
}

static void
check_store(struct draft *draft)
{
	const struct settings *settings = draft->settings;
	const char *where = draft_origin(draft, "store.driver");

	if (settings->store.driver != STORE_POSTGRES) {
		if (*settings->store.url != '\0')
			draft_warn(draft, draft_origin(draft, "store.url"),
			    "store.url: not used; set store.driver, or "
			    "DB_DRIVER, to postgres");
		return;
	}
#ifndef HAVE_POSTGRESQL
	draft_fault(draft, where,
	    "store: postgres: not built in; configure --with-postgresql");
#else
	if (*settings->store.url == '\0')
		draft_fault(draft, where,
		    "store: postgres: no url; set store.url or DATABASE_URL, "
		    "e.g. postgres://user@host/database");
#endif
}

static void
check_health(struct draft *draft)
{
	const struct settings *settings = draft->settings;
	const char *where = draft_origin(draft, "health.timeout");

	if (*where != '\0' &&
	    settings->health.timeout_ms > settings->health.interval_ms)
		draft_warn(draft, where,
		    "health.timeout: longer than health.interval; probes of a "
		    "dead backend come at the pace of the time-out");
}

/* The files are opened by master alone, which says where they are named. */
static void
check_tls(struct draft *draft)
{
	struct tls_setting *tls = &draft->settings->registration.tls;
	const struct {
		const char *name;
		char *where;
	} named[] = {
		{ "registration.tls_certificate", tls->certificate_where },
		{ "registration.tls_key", tls->key_where },
		{ "registration.tls_client_ca", tls->client_ca_where },
		{ "registration.tls_ciphers", tls->ciphers_where },
	};

	for (size_t i = 0; i < COUNT_OF(named); i++)
		snprintf(named[i].where, SETTING_WHERE_SIZE, "%.159s",
		    draft_origin(draft, named[i].name));
	if (tls->listen.count > 0 && *tls->certificate == '\0')
		draft_fault(draft,
		    draft_origin(draft, "registration.tls_listen"),
		    "registration.tls_listen: no certificate; set "
		    "registration.tls_certificate");
}

/* What concerns several settings at once. */
static void
check_together(struct draft *draft)
{
	if (draft->fault_count > 0)
		return;
	check_pool(draft);
	check_store(draft);
	check_health(draft);
	check_tls(draft);
	if (draft->settings->listen_count == 0)
		draft_fault(draft, draft_origin(draft, "listen"),
		    "listen: none; give at least one address");
}

int
settings_read(const char *path, const struct setting_override *overrides,
    uint32_t override_count, struct settings **settings_r, struct buf *errors)
{
	struct draft draft;
	struct buf text = { 0 };

	*settings_r = NULL;
	if (draft_init(&draft, errors) == -1)
		return -1;
	if (path != NULL && file_load(path, &text) == -1)
		draft_fault(&draft, path, "%s; give another with -c",
		    strerror(errno));
	else if (path != NULL)
		grammar_read(&draft, buf_bytes(&text), path, true);
	buf_free(&text);
	overrides_take_environment(&draft);
	overrides_take(&draft, overrides, override_count);
	check_together(&draft);
	*settings_r = draft_finish(&draft);
	return *settings_r == NULL ? -1 : 0;
}

int
settings_parse(struct bytes text, struct settings **settings_r,
    struct buf *errors)
{
	struct draft draft;

	*settings_r = NULL;
	if (draft_init(&draft, errors) == -1)
		return -1;
	grammar_read(&draft, text, "settings", false);
	check_together(&draft);
	*settings_r = draft_finish(&draft);
	return *settings_r == NULL ? -1 : 0;
}

void
settings_free(struct settings **p)
{
	struct settings *settings = *p;
	size_t count;
	const struct setting *rows = setting_rows(&count);

	*p = NULL;
	if (settings == NULL)
		return;
	for (size_t i = 0; i < count; i++)
		value_free(settings, &rows[i]);
	statics_free(settings);
	free(settings);
}

void
settings_each_row(settings_row_fn *call, void *context)
{
	size_t count;
	const struct setting *rows = setting_rows(&count);
	const struct titled_setting *titled;

	for (size_t i = 0; i < count; i++)
		call(context, rows[i].name, rows[i].preset,
		    rows[i].change != SETTINGS_RESTART);
	titled = titled_setting_rows(&count);
	for (size_t i = 0; i < count; i++)
		call(context, titled[i].name, titled[i].preset, true);
}
