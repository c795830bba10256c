/*
 * registryd/explain_json.h - where a request would go, as JSON.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_EXPLAIN_JSON_H
#define REGISTRYD_EXPLAIN_JSON_H

#include <netinet/in.h>

#include "common/json.h"
#include "http/head.h"
#include "registryd/registry.h"
#include "routing/router.h"

/* Who asks what of whom; borrowed. */
struct explained {
	struct registry *registry;
	struct json_writer *writer;	/* in an object */
	const struct http_request *asked;
	const struct in6_addr *client;
};

/* Writes the members "request" to "status": what the router chose for it,
 * and what stands behind that in the segment. */
void explain_write(const struct explained *, const struct route_choice *);

#endif
