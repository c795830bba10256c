/*
 * registryd/registration.h - what POST /register says.
 *
 * Pure.  The texts of the faults are part of the interface: clients that
 * were written long ago compare them.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_REGISTRATION_H
#define REGISTRYD_REGISTRATION_H

#include "common/bytes.h"
#include "common/compat.h"
#include "registryd/model.h"
#include "registryd/write_queue.h"

#define REGISTRATION_BAD     "invalid payload in request"
#define REGISTRATION_MISSING "missing a required field in payload"
#define REGISTRATION_NO_NAME "name parameter required"

struct registration {
	char *name, *base_url;
	char *health_path;		/* NULL: a connect is the probe */
	char **prefixes;
	uint32_t prefix_count;
};

/* Returns NULL with *registration_r filled, or the fault's text. */
MUST_CHECK const char *registration_parse(struct bytes json,
    struct registration *registration_r);
void registration_clear(struct registration *);

/*
 * Plans the upsert: the service, the one backend and the one route that
 * came by registration, others left alone.  0 or -1 with write->problem.
 */
MUST_CHECK int registration_plan(const struct registration *, struct write *,
    const struct model *);

#endif
