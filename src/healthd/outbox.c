/*
 * healthd/outbox.c - changes on their way to registryd, a few at a time.
 */
/* SPDX-License-Identifier: ISC */
#include "healthd/outbox.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "common/log.h"

struct outbox_entry {
	STAILQ_ENTRY(outbox_entry) link;
	struct health_changed changed;
};

struct outbox {
	struct ev_loop *loop;
	ev_timer pause;
	outbox_send_fn *send;
	void *context;
	STAILQ_HEAD(, outbox_entry) entries;
	uint32_t entry_count;
	uint32_t sent_count;		/* of this batch */
	bool is_full;			/* said so in the log */
};

static void
send_first(struct outbox *outbox)
{
	struct outbox_entry *entry = STAILQ_FIRST(&outbox->entries);

	STAILQ_REMOVE_HEAD(&outbox->entries, link);
	outbox->entry_count--;
	outbox->sent_count++;
	outbox->send(outbox->context, &entry->changed);
	free(entry);
}

/* Another batch may go; the pause ends when there was none. */
static void
on_pause_over(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct outbox *outbox = timer->data;

	(void)events;
	outbox->sent_count = 0;
	while (outbox->entry_count > 0 && outbox->sent_count < OUTBOX_BATCH)
		send_first(outbox);
	if (outbox->sent_count == 0)
		ev_timer_stop(loop, timer);
}

struct outbox *
outbox_new(struct ev_loop *loop, outbox_send_fn *send, void *context)
{
	struct outbox *outbox = calloc(1, sizeof(*outbox));

	if (outbox == NULL)
		return NULL;
	outbox->loop = loop;
	outbox->send = send;
	outbox->context = context;
	STAILQ_INIT(&outbox->entries);
	ev_timer_init(&outbox->pause, on_pause_over, OUTBOX_PAUSE_MS / 1000.0,
	    OUTBOX_PAUSE_MS / 1000.0);
	outbox->pause.data = outbox;
	return outbox;
}

void
outbox_free(struct outbox **p)
{
	struct outbox *outbox = *p;
	struct outbox_entry *entry;

	*p = NULL;
	if (outbox == NULL)
		return;
	ev_timer_stop(outbox->loop, &outbox->pause);
	while ((entry = STAILQ_FIRST(&outbox->entries)) != NULL) {
		STAILQ_REMOVE_HEAD(&outbox->entries, link);
		free(entry);
	}
	free(outbox);
}

void
outbox_put(struct outbox *outbox, const struct health_changed *changed)
{
	struct outbox_entry *entry = NULL;

	if (outbox->entry_count < OUTBOX_MAX)
		entry = malloc(sizeof(*entry));
	if (entry == NULL) {
		if (!outbox->is_full)
			log_warn("registryd: not told of each change: too many "
				 "wait");
		outbox->is_full = true;
		return;
	}
	outbox->is_full = false;
	entry->changed = *changed;
	STAILQ_INSERT_TAIL(&outbox->entries, entry, link);
	outbox->entry_count++;
	if (!ev_is_active(&outbox->pause)) {
		outbox->sent_count = 0;
		ev_timer_again(outbox->loop, &outbox->pause);
	}
	if (outbox->entry_count == 1 && outbox->sent_count < OUTBOX_BATCH)
		send_first(outbox);
}
