/*
 * registryd/protocol/command_stats.c - STATS_GET.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/protocol/command.h"
#include "registryd/protocol/figures.h"

void
command_stats_get(struct client *client)
{
	const struct session *session = client->session;
	struct bytes id = client->line.fields[1];
	const struct session_route *route = NULL;
	struct buf buf = { 0 };
	struct json_writer writer = client_writer(&buf);

	if (id.len == 0 || bytes_is(id, "ALL")) {
		figures_write_all(&writer, session);
	} else if ((route = config_find(&session->active, id)) != NULL) {
		figures_write_route(&writer, session, route);
	} else {
		client_refuse(client, "route not found");
		return;
	}
	client_answer_json(client, "STATS_OK", &buf);
}
