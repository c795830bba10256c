/*
 * registryd/protocol/figures.h - what workers counted for a session.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_PROTOCOL_FIGURES_H
#define REGISTRYD_PROTOCOL_FIGURES_H

#include "registryd/protocol/session.h"

/* Requests and tunnels that its backends serve now. */
int64_t figures_in_flight(const struct session *);

/* Writes the object of STATS_GET for an active route, or an array of all.
 * A route that sessions share is counted as one. */
void figures_write_route(struct json_writer *, const struct session *,
    const struct session_route *);
void figures_write_all(struct json_writer *, const struct session *);

#endif
