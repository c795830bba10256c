/*
 * registryd/protocol/command.c - from a line to what carries it out.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/protocol/command.h"

#include "registryd/registry.h"

static void
command_ack(struct client *client)
{
	client->is_busy = false;	/* nothing to answer */
}

static const struct {
	command_fn *run;
	bool needs_no_session;		/* of this connection */
} rows[COMMAND_COUNT] = {
	[COMMAND_REGISTER] = { command_register, true },
	[COMMAND_RECONNECT] = { command_reconnect, true },
	[COMMAND_PING] = { command_ping, false },
	[COMMAND_SESSION_INFO] = { command_session_info, false },
	[COMMAND_CLIENT_SHUTDOWN] = { command_client_shutdown, false },
	[COMMAND_ROUTE_ADD] = { command_stage, false },
	[COMMAND_ROUTE_ADD_BULK] = { command_stage, false },
	[COMMAND_ROUTE_UPDATE] = { command_stage, false },
	[COMMAND_ROUTE_REMOVE] = { command_stage, false },
	[COMMAND_ROUTE_LIST] = { command_route_list, false },
	[COMMAND_HEADERS_SET] = { command_stage, false },
	[COMMAND_HEADERS_REMOVE] = { command_stage, false },
	[COMMAND_OPTIONS_SET] = { command_stage, false },
	[COMMAND_OPTIONS_REMOVE] = { command_stage, false },
	[COMMAND_HEALTH_SET] = { command_stage, false },
	[COMMAND_RATELIMIT_SET] = { command_stage, false },
	[COMMAND_CIRCUIT_SET] = { command_stage, false },
	[COMMAND_CIRCUIT_STATUS] = { command_circuit_status, false },
	[COMMAND_CIRCUIT_RESET] = { command_circuit_reset, false },
	[COMMAND_CONFIG_VALIDATE] = { command_config_validate, false },
	[COMMAND_CONFIG_APPLY] = { command_config_apply, false },
	[COMMAND_CONFIG_APPLY_PARTIAL] = { command_config_apply_partial,
	    false },
	[COMMAND_CONFIG_ROLLBACK] = { command_config_rollback, false },
	[COMMAND_CONFIG_DIFF] = { command_config_diff, false },
	[COMMAND_STATS_GET] = { command_stats_get, false },
	[COMMAND_BACKEND_TEST] = { command_backend_test, false },
	[COMMAND_DRAIN_START] = { command_drain_start, false },
	[COMMAND_DRAIN_STATUS] = { command_drain_status, false },
	[COMMAND_DRAIN_CANCEL] = { command_drain_cancel, false },
	[COMMAND_MAINT_ENTER] = { command_maint_enter, false },
	[COMMAND_MAINT_EXIT] = { command_maint_exit, false },
	[COMMAND_MAINT_STATUS] = { command_maint_status, false },
	[COMMAND_SUBSCRIBE] = { command_subscribe, false },
	[COMMAND_UNSUBSCRIBE] = { command_unsubscribe, false },
	[COMMAND_ACK] = { command_ack, true },
};

void
command_wait(struct client *client)
{
	client->is_waiting = true;
}

bool
command_answer_first(struct client *client, const char *answer)
{
	bool was_advancing = client->is_advancing;

	client->is_advancing = true;
	client_answer(client, "%s", answer);
	return was_advancing;
}

void
command_go_on(struct client *client, bool was_advancing)
{
	client->is_advancing = was_advancing;
	if (!was_advancing)
		client_advance(client);
}

void
command_run(struct client *client)
{
	const struct protocol_line *line = &client->line;
	struct session *session = client->session;

	if (!client->protocol->is_loaded) {
		client_refuse(client, "store unavailable");
		return;
	}
	if (rows[line->command].needs_no_session) {
		rows[line->command].run(client);
		return;
	}
	if (session == NULL) {
		client_refuse(client, "no session");
	} else if (!session_has_id(session, line->fields[0])) {
		client_refuse(client, "session not found");
	} else if (session->is_busy) {
		command_wait(client);
	} else {
		session->active_wall_ms = clock_wall_ms();
		rows[line->command].run(client);
	}
}
