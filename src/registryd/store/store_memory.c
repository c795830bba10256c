/*
 * registryd/store/store_memory.c - the driver that keeps all in the process.
 *
 * For tests, and for those whose services register again anyway.  Requests
 * wait for the loop's next turn, since no call may call back.
 */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "common/clock.h"
#include "registryd/store/driver.h"
#include "registryd/store/memory_db.h"

struct store_memory {
	struct store store;
	ev_timer next_turn;
	struct request_list requests;
	struct memory_db db;
};

static void
carry_out(struct store_memory *memory, struct store_request *request)
{
	switch (request->type) {
	case REQUEST_OPEN:
		memory->store.figures.connect_count = 1;
		memory->store.figures.pool_size = 1;
		memory->store.figures.open = 1;
		memory->store.figures.idle = 1;
		store_note_up(&memory->store, true, NULL);
		break;
	case REQUEST_PING:
	case REQUEST_FOLLOW:		/* never: can_follow */
	case REQUEST_PUT_INSTANCE:
	case REQUEST_REMOVE_INSTANCE:
	case REQUEST_LIST_INSTANCES:
	case REQUEST_WANT_INSTANCES:
	case REQUEST_READ_NOTES:
	case REQUEST_REPLICATE:		/* never: no replica */
		break;
	case REQUEST_LOAD:
		memory_db_load(&memory->db, request);
		break;
	case REQUEST_COMMIT:
		memory_db_commit(&memory->db, request);
		break;
	case REQUEST_NOTES:
		memory_db_write_notes(&memory->db, request);
		break;
	case REQUEST_EVENTS:
		memory_db_tell(&memory->db, request);
		break;
	case REQUEST_MEASURE:
		memory_db_measure(&memory->db, request);
		break;
	case REQUEST_PRUNE:
		memory_db_prune(&memory->db, request);
		break;
	case REQUEST_HISTORY:
		memory_db_history(&memory->db, request);
		break;
	}
}

static void
on_next_turn(struct ev_loop *loop, ev_timer *next_turn, int events)
{
	struct store_memory *memory = next_turn->data;
	struct request_list taken = STAILQ_HEAD_INITIALIZER(taken);
	struct store_figures *figures = &memory->store.figures;
	struct store_request *request;

	(void)loop, (void)events;
	STAILQ_CONCAT(&taken, &memory->requests);
	while ((request = STAILQ_FIRST(&taken)) != NULL) {
		struct instant start = clock_now();

		STAILQ_REMOVE_HEAD(&taken, entry);
		carry_out(memory, request);
		figures->query_count++;
		figures->query_failed_count +=
		    request->outcome.result != STORE_OK;
		figures->query_us_sum +=
		    (uint64_t)(clock_now().ns - start.ns) / 1000;
		request_finish(&request);
	}
}

static int
memory_new(struct ev_loop *loop, const struct settings *settings,
    struct store **store_r, const char **error_r)
{
	struct store_memory *memory = calloc(1, sizeof(*memory));

	(void)loop, (void)settings;
	if (memory == NULL) {
		*error_r = "memory: out of memory";
		return -1;
	}
	STAILQ_INIT(&memory->requests);
	ev_timer_init(&memory->next_turn, on_next_turn, 0., 0.);
	memory->next_turn.data = memory;
	*store_r = &memory->store;
	return 0;
}

static void
memory_free(struct store *store)
{
	struct store_memory *memory =
	    CONTAINER_OF(store, struct store_memory, store);
	struct store_request *request;

	ev_timer_stop(store->loop, &memory->next_turn);
	while ((request = STAILQ_FIRST(&memory->requests)) != NULL) {
		STAILQ_REMOVE_HEAD(&memory->requests, entry);
		request_drop(&request);
	}
	memory_db_clear(&memory->db);
	free(memory);
}

static int
memory_submit(struct store *store, struct store_request *request)
{
	struct store_memory *memory =
	    CONTAINER_OF(store, struct store_memory, store);

	STAILQ_INSERT_TAIL(&memory->requests, request, entry);
	ev_timer_start(store->loop, &memory->next_turn);
	return 0;
}

const struct store_driver_row store_memory_driver = {
	.new = memory_new,
	.free = memory_free,
	.submit = memory_submit,
};
