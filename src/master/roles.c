/*
 * master/roles.c - the roles, one row each.
 */
/* SPDX-License-Identifier: ISC */
#include "master/roles.h"

static const struct role_row rows[] = {
	[ROLE_WORKER] = {
		.name = "worker",
		.program = "sluice-worker",
		.region = SEGMENT_WORKER,
		.listens = ROLE_LISTENS_TRAFFIC,
		.has_limits = true,
		.has_failures = true,
	},
	[ROLE_REGISTRYD] = {
		.name = "registryd",
		.program = "sluice-registryd",
		.region = SEGMENT_ROUTES,
		.listens = ROLE_LISTENS_ADMIN,
		.has_peer = true,
		.may_ask = true,
		.has_certificates = true,
	},
	[ROLE_HEALTHD] = {
		.name = "healthd",
		.program = "sluice-healthd",
		.region = SEGMENT_HEALTH,
		.has_failures = true,
		.has_peer = true,
	},
};

const struct role_row *
role_row(enum role_kind kind)
{
	return &rows[kind];
}
