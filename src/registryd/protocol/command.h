/*
 * registryd/protocol/command.h - what each command does.
 *
 * A handler sees to it that its connection is answered exactly once, now
 * or later, or asks with command_wait() to be called again.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_PROTOCOL_COMMAND_H
#define REGISTRYD_PROTOCOL_COMMAND_H

#include "registryd/protocol/client.h"
#include "registryd/protocol/protocol.h"

typedef void command_fn(struct client *);

/* command_session.c */
command_fn command_register, command_reconnect, command_ping,
    command_session_info, command_client_shutdown, command_subscribe,
    command_unsubscribe;
/* command_stage.c */
command_fn command_stage, command_route_list, command_config_rollback,
    command_config_diff;
/* command_apply.c */
command_fn command_config_validate, command_config_apply,
    command_config_apply_partial;

/* command_condition.c */
command_fn command_maint_enter, command_maint_exit, command_maint_status,
    command_drain_start, command_drain_status, command_drain_cancel;
/* command_circuit.c */
command_fn command_circuit_status, command_circuit_reset;
/* command_test.c, command_stats.c */
command_fn command_backend_test, command_stats_get;

/* To be tried again when something is over. */
void command_wait(struct client *);

/* Answers; what is told the client until command_go_on() stands behind
 * that and before the next answer. */
MUST_CHECK bool command_answer_first(struct client *, const char *answer);
void command_go_on(struct client *, bool was_advancing);

#endif
