/*
 * conf/overrides.c - what goes over the file: the environment, then -o.
 */
/* SPDX-License-Identifier: ISC */
#include "conf/overrides.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/value.h"

/* Names that services of this kind commonly have for their database. */
static const struct {
	const char *variable, *name;
} common_variables[] = {
	{ "DB_DRIVER", "store.driver" },
	{ "DATABASE_URL", "store.url" },
	{ "DATABASE_PATH", "store.path" },
	{ "DATABASE_POOL_SIZE", "store.pool_size" },
	{ "DATABASE_MAX_IDLE_CONNS", "store.pool_idle" },
	{ "DATABASE_CONN_MAX_LIFETIME", "store.connection_lifetime" },
};

static void
take_common(struct draft *draft, const char *variable, const char *name)
{
	const struct setting *row = setting_find(name);
	const char *value = getenv(variable);
	struct buf why = { 0 }, kept = { 0 };

	if (value == NULL || *value == '\0')
		return;
	/* Another store than was meant is no help. */
	if (strcmp(variable, "DB_DRIVER") == 0) {
		draft_put_text(draft, row, value, variable);
		return;
	}
	if (value_put_text(draft->settings, row, value, true, &why) == 0) {
		draft_set_origin(draft, row, variable);
	} else {
		value_print(draft->settings, row, false, &kept);
		draft_warn(draft, variable, "%s; %s = %s is used",
		    why.data == NULL ? "out of memory" : why.data, name,
		    kept.data == NULL ? "" : kept.data);
	}
	buf_free(&why);
	buf_free(&kept);
}

/* "store.pool_size" is SLUICE_STORE_POOL_SIZE. */
static void
variable_name(const char *name, char variable[80])
{
	char *at = variable + snprintf(variable, 80, "SLUICE_%s", name);

	while (--at > variable)
		*at = *at == '.' ? '_' : (char)toupper((unsigned char)*at);
}

void
overrides_take_environment(struct draft *draft)
{
	size_t count;
	const struct setting *rows = setting_rows(&count);

	for (size_t i = 0; i < COUNT_OF(common_variables); i++)
		take_common(draft, common_variables[i].variable,
		    common_variables[i].name);
	for (size_t i = 0; i < count; i++) {
		char variable[80];
		const char *value;

		variable_name(rows[i].name, variable);
		if ((value = getenv(variable)) != NULL)
			draft_put_text(draft, &rows[i], value, variable);
	}
}

void
overrides_take(struct draft *draft, const struct setting_override *overrides,
    uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct setting *row = setting_find(overrides[i].name);

		if (row == NULL)
			draft_fault(draft, "-o",
			    "%s: no such setting; see sluice.conf(5)",
			    overrides[i].name);
		else
			draft_put_text(draft, row, overrides[i].value, "-o");
	}
}
