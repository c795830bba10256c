/*
 * registryd/protocol/command_apply.c - CONFIG_VALIDATE and CONFIG_APPLY.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/protocol/apply.h"
#include "registryd/protocol/command.h"

static void
on_applied(void *context, const char *fault)
{
	struct client *client = context;

	if (fault != NULL)
		client_refuse(client, fault);
	else
		client_answer(client, "OK");
}

static void
apply(struct client *client, enum apply_kind kind, uint32_t scopes)
{
	struct session_config config;
	struct apply_order order = {
		.kind = kind,
		.session = client->session,
		.config = &config,
		.scopes = scopes,
		.done = on_applied,
		.context = client,
	};

	if (session_stage_scopes(order.session, scopes, &config) == -1 ||
	    apply_submit(&order) == -1)
		client_refuse(client, "store unavailable");
}

void
command_config_validate(struct client *client)
{
	apply(client, APPLY_TRY, SCOPES_ALL);
}

void
command_config_apply(struct client *client)
{
	apply(client, APPLY_CONFIG, SCOPES_ALL);
}

void
command_config_apply_partial(struct client *client)
{
	struct bytes list = client->line.fields[1], word;
	enum config_scope scope;
	uint32_t scopes = 0;

	while (bytes_next_field(&list, ',', &word)) {
		if (scope_parse(bytes_trim(word), &scope) == -1) {
			client_refuse(client, "invalid format");
			return;
		}
		scopes |= 1u << scope;
	}
	apply(client, APPLY_CONFIG, scopes);
}
