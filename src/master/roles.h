/*
 * master/roles.h - the roles, one row each.
 */
/* SPDX-License-Identifier: ISC */
#ifndef MASTER_ROLES_H
#define MASTER_ROLES_H

#include <stdbool.h>

#include "shm/master_status.h"
#include "shm/segment.h"

enum role_listens {
	ROLE_LISTENS_NOT,
	ROLE_LISTENS_TRAFFIC,		/* its slot's socket of each listener */
	ROLE_LISTENS_ADMIN,
};

struct role_row {
	const char *name;		/* "worker" */
	const char *program;		/* in program_dir */
	enum segment_region region;	/* the one that it writes */
	enum role_listens listens;
	bool has_limits;		/* writes the limits region, too */
	bool has_failures;		/* holds the failures' eventfd */
	bool has_peer;			/* end of registryd <-> healthd */
	bool may_ask;			/* for reloads and log levels */
	bool has_certificates;		/* accepts with TLS */
};

/* By enum role_kind. */
const struct role_row *role_row(enum role_kind);

#endif
