/*
 * registryd/store/driver.h - what a driver of the store is.
 *
 * A driver's own struct begins with a struct store.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_DRIVER_H
#define REGISTRYD_STORE_DRIVER_H

#include "registryd/store/request.h"
#include "registryd/store/store.h"

struct store_driver_row {
	/* 0, or -1 with *error_r a sentence in static memory. */
	int (*new)(struct ev_loop *, const struct settings *,
	    struct store **store_r, const char **error_r);
	void (*free)(struct store *);
	/* Takes the request, and never calls back from within.  0, or -1 when
	 * out of memory: the request is still the caller's. */
	int (*submit)(struct store *, struct store_request *);
	/* Fills the counts of connections; NULL: one, that of the driver. */
	void (*figures)(const struct store *, struct store_figures *);
	bool can_follow;		/* takes REQUEST_FOLLOW and those of
					 * instances */
};

struct store {
	const struct store_driver_row *driver;
	struct ev_loop *loop;
	store_up_fn *on_up;
	void *on_up_context;
	store_news_fn *on_news;
	void *on_news_context;
	store_news_fn *on_instances, *on_wanted;
	void *on_instances_context;
	struct store_figures figures;	/* the driver keeps it true */
};

/* Notes the state and, when it is another, tells on_up.  error: why it is
 * down; NULL when up. */
void store_note_up(struct store *, bool is_up, const char *error);

extern const struct store_driver_row store_memory_driver;
extern const struct store_driver_row store_sqlite_driver;
#ifdef HAVE_POSTGRESQL
extern const struct store_driver_row store_postgres_driver;
#endif

#endif
