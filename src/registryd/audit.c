/*
 * registryd/audit.c - what happens and is no change, on its way to history.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "registryd/registry.h"
#include "registryd/store/history.h"

#define AGAIN_S 1.0

const char *
audit_self(const struct registry *registry)
{
	return registry->instances.name;
}

void
audit_by_itself(const struct registry *registry, struct write *write)
{
	strcpy(write->who, "sluice");
	snprintf(write->from, sizeof(write->from), "%.79s",
	    audit_self(registry));
	write->channel = "clock";
}

static void
clear_rows(struct audit_rows *rows)
{
	for (uint32_t i = 0; i < rows->count; i++)
		history_clear(&rows->list[i]);
	free(rows->list);
	*rows = (struct audit_rows){ 0 };
}

static void send_rows(struct registry *);

static void
on_told(void *context, const struct store_outcome *outcome)
{
	struct registry *registry = context;
	struct audit *audit = &registry->audit;

	audit->is_sending = false;
	if (outcome->result == STORE_OK || outcome->result == STORE_REFUSED) {
		if (outcome->result != STORE_OK)
			log_error("history: %u events are lost: %s",
			    audit->sent.count, outcome->message);
		clear_rows(&audit->sent);
		send_rows(registry);
		return;
	}
	log_debug("history: events: %s: trying again", outcome->message);
	ev_timer_again(registry->loop, &audit->again);
}

static void
note_lost(struct audit *audit)
{
	if (audit->lost_count == 0)
		return;
	log_warn("history: %" PRIu64 " events were too many, and are lost",
	    audit->lost_count);
	audit->lost_count = 0;
}

static void
send_rows(struct registry *registry)
{
	struct audit *audit = &registry->audit;
	struct store_events events;

	if (audit->is_sending)
		return;
	if (audit->sent.count == 0) {
		if (audit->waiting.count == 0)
			return;
		audit->sent = audit->waiting;
		audit->waiting = (struct audit_rows){ 0 };
		note_lost(audit);
	}
	events = (struct store_events){ audit->sent.list, audit->sent.count };
	audit->is_sending = store_tell(registry->store, &events, on_told,
	    registry) == 0;
	if (!audit->is_sending)
		ev_timer_again(registry->loop, &audit->again);
}

static void
on_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct registry *registry = timer->data;

	(void)events;
	if (registry->model == NULL)
		return;			/* nothing is loaded yet: later */
	ev_timer_stop(loop, timer);
	send_rows(registry);
}

/* 0, or -1: there is no room. */
static int
add_row(struct audit_rows *rows, const struct store_history *row)
{
	uint32_t size = rows->size == 0 ? 8 : rows->size * 2;
	struct store_history *list = rows->list;

	if (rows->count == AUDIT_MAX)
		return -1;
	if (rows->count == rows->size) {
		if ((list = realloc(list, size * sizeof(*list))) == NULL)
			return -1;
		rows->list = list;
		rows->size = size;
	}
	if (history_copy(row, &list[rows->count]) == -1)
		return -1;
	rows->count++;
	return 0;
}

void
audit_tell(struct registry *registry, const struct store_history *event)
{
	struct audit *audit = &registry->audit;
	struct store_history row = *event;

	row.at_wall_ms = clock_wall_ms();
	if (row.who == NULL)
		row.who = "sluice";
	if (row.from == NULL)
		row.from = audit_self(registry);
	if (add_row(&audit->waiting, &row) == -1)
		audit->lost_count++;
	if (registry->model == NULL)
		ev_timer_again(registry->loop, &audit->again);
	else if (!ev_is_active(&audit->again))
		send_rows(registry);
}

void
audit_start(struct registry *registry)
{
	ev_timer_init(&registry->audit.again, on_again, 0.0, AGAIN_S);
	registry->audit.again.data = registry;
}

void
audit_stop(struct registry *registry)
{
	ev_timer_stop(registry->loop, &registry->audit.again);
	clear_rows(&registry->audit.waiting);
	clear_rows(&registry->audit.sent);
}
