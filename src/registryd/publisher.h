/*
 * registryd/publisher.h - from changes of the model to the route table.
 *
 * The one user of table_writer.  A publication puts what is dirty in the
 * model and removes what is gone, in one batch; its work is in
 * proportion to that.  When it fails the table stands as it was and the
 * model stays dirty, so that the next publication makes it good.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_PUBLISHER_H
#define REGISTRYD_PUBLISHER_H

#include <stdint.h>

#include "common/compat.h"
#include "conf/settings.h"
#include "registryd/model.h"
#include "shm/route_table.h"

struct publisher;

/* Takes fd, the writable routes region, over.  0 or -1 and errno, as
 * table_writer_open(). */
MUST_CHECK int publisher_new(int fd, struct publisher **publisher_r);
void publisher_free(struct publisher **);

/* The backends that a publication touched, for healthd. */
#define PUBLISHED_SLOTS_MAX 256

struct published {
	uint32_t slots[PUBLISHED_SLOTS_MAX];
	uint32_t slot_count;		/* over PUBLISHED_SLOTS_MAX: too many
					 * to name */
};

/*
 * Publishes what is dirty as generation.  settings are the presets of
 * what services leave open.  Returns 0 with *published_r filled, or -1
 * with errno (ENOSPC, EINVAL), logged.
 */
MUST_CHECK int publisher_publish(struct publisher *, struct model *,
    const struct settings *, uint64_t generation,
    struct published *published_r);

/*
 * Matches a model that was just loaded with what the table shows: slots
 * are taken over (services by name, backends and routes by id), what is
 * equal becomes clean, what the model does not have is marked gone.
 * Returns 0, or -1 with ENOMEM.  registryd/reconcile.c.
 */
MUST_CHECK int publisher_reconcile(struct model *, const struct settings *,
    const struct route_table *);

#endif
