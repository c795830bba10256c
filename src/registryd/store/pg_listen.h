/*
 * registryd/store/pg_listen.h - the connection on which news are heard.
 *
 * One beside the pool's, for LISTEN alone.  When it is lost it is made
 * again, after pauses that grow and are jittered; each time it stands,
 * the store's on_news is told that something may have been missed.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_PG_LISTEN_H
#define REGISTRYD_STORE_PG_LISTEN_H

#include "conf/settings.h"
#include "registryd/store/driver.h"

struct pg_listen;

/* NULL when out of memory. */
struct pg_listen *pg_listen_new(struct store *, struct ev_loop *,
    const struct settings *);
void pg_listen_free(struct pg_listen **);

void pg_listen_start(struct pg_listen *);

#endif
