/*
 * registryd/store/request.h - one call of the store on its way to an answer.
 *
 * Made by store.c, owned by the driver from submit() until it hands it to
 * request_finish(), on the loop, which calls back and frees.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_REQUEST_H
#define REGISTRYD_STORE_REQUEST_H

#include <sys/queue.h>

#include "registryd/store/replica.h"
#include "registryd/store/store.h"

enum request_type {
	REQUEST_OPEN,
	REQUEST_LOAD,
	REQUEST_COMMIT,
	REQUEST_NOTES,
	REQUEST_READ_NOTES,
	REQUEST_EVENTS,
	REQUEST_HISTORY,
	REQUEST_MEASURE,
	REQUEST_PRUNE,
	REQUEST_PING,
	REQUEST_FOLLOW,
	REQUEST_PUT_INSTANCE,
	REQUEST_REMOVE_INSTANCE,
	REQUEST_LIST_INSTANCES,
	REQUEST_WANT_INSTANCES,
	REQUEST_REPLICATE,		/* of a replica alone */
};

#define REQUEST_MESSAGE_SIZE 256

struct store_request {
	STAILQ_ENTRY(store_request) entry;
	enum request_type type;
	union {
		struct store_loader load;
		struct store_commit commit;
		const struct note_changes *notes;
		struct store_note_query read_notes;
		struct store_history_query history;
		struct store_follow_query follow;
		struct store_instance_put put_instance;	/* or to remove */
		struct store_instance_query list_instances;
		uint64_t wanted;
		struct store_events events;
		struct store_extent *extent;
		struct store_prune_order prune;
		struct replica_batch replicate;
	} ask;
	store_done_fn *done;
	void *context;
	struct store_outcome outcome;
	char message[REQUEST_MESSAGE_SIZE];	/* what outcome.message shows */
};

STAILQ_HEAD(request_list, store_request);

/* Sets the outcome of a request that went wrong; a sentence for people. */
void request_fail(struct store_request *, enum store_result,
    const char *format, ...) PRINTF_LIKE(3, 4);

/* Calls back, frees, sets *p to NULL. */
void request_finish(struct store_request **p);

/* Frees without calling back: the store is going. */
void request_drop(struct store_request **p);

#endif
