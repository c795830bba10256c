/*
 * registryd/store/events.h - rows and answers on their way to the loop.
 *
 * A row is copied for history and taken over for objects.  The callbacks
 * of a request get their rows through event_deliver().
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_EVENTS_H
#define REGISTRYD_STORE_EVENTS_H

#include <sys/queue.h>

#include "registryd/store/request.h"

enum event_type {
	EVENT_SERVICE,
	EVENT_BACKEND,
	EVENT_ROUTE,
	EVENT_NOTE,
	EVENT_SPOOLED,
	EVENT_HISTORY,
	EVENT_DONE,
};

struct store_event {
	STAILQ_ENTRY(store_event) entry;
	enum event_type type;
	struct store_request *request;	/* owned by the one of EVENT_DONE */
	union {
		struct service service;
		struct backend backend;
		struct route route;
		struct store_history history;
		struct store_note note;	/* texts owned */
		struct store_spooled spooled; /* texts owned */
		struct {
			uint64_t query_count, query_failed_count, query_us_sum;
			uint64_t set_aside_count;
			uint32_t schema_version;
			bool is_open;
		} done;
	} body;
};

STAILQ_HEAD(event_list, store_event);

/* NULL when out of memory. */
struct store_event *event_new(enum event_type, struct store_request *);
/* The same with a copy of a history row. */
struct store_event *event_new_history(struct store_request *,
    const struct store_history *);

struct store_event *event_new_note(struct store_request *,
    const struct store_note *);

struct store_event *event_new_spooled(struct store_request *,
    const struct store_spooled *);

/* Hands a row to its callback, or finishes the request; frees the
 * event. */
void event_deliver(struct store_event **);
/* Frees the event and what is in it, the request too. */
void event_drop(struct store_event **);

#endif
