/*
 * registryd/store/pg_listen.h - the connection on which news are heard.
 *
 * One beside the pool's, for LISTEN alone, to store.listen_url if that is
 * set.  When it is lost it is made again, after pauses that grow and are
 * jittered; each time it stands, the store's on_news is told that something
 * may have been missed.  It is asked now and then whether it is still good.
 *
 * Behind a pooler of transactions LISTEN would be heard by nobody: there
 * is no such connection then, unless listen_url leads past it.
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

/* It may be another server now, or one more willing: connects again. */
void pg_listen_again(struct pg_listen *);
/* The URL of the store leads to a pooler: nothing is heard there. */
void pg_listen_give_up(struct pg_listen *);

#endif
