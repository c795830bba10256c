/*
 * registryd/protocol/poll.c - asking URLs each second until all answer.
 *
 * The URLs are asked one after the other; one that has answered is not
 * asked again.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/protocol/poll.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "registryd/protocol/fetch.h"
#include "registryd/protocol/protocol.h"

#define ROUNDS	   60
#define PAUSE_S	   1.0
#define TIMEOUT_MS 1000
#define PAGE_LIMIT 500			/* a page's status must be below */

struct poll {
	LIST_ENTRY(poll) of_protocol;
	struct protocol *protocol;
	struct session *session;
	char *target;
	char **urls;
	uint32_t count, next;		/* next: the one that is asked */
	uint32_t round;
	bool is_page;
	const char *fault;
	struct fetch *fetch;
	ev_timer pause;
};

static void ask(struct poll *);

static void
urls_free(char **urls, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		free(urls[i]);
	free(urls);
}

static void
poll_free(struct poll *poll)
{
	LIST_REMOVE(poll, of_protocol);
	fetch_cancel(&poll->fetch);
	ev_timer_stop(poll->protocol->loop, &poll->pause);
	urls_free(poll->urls, poll->count);
	session_release(&poll->session);
	free(poll->target);
	free(poll);
}

static void
tell_good(struct session *session, struct bytes target)
{
	struct buf line = { 0 };

	if (session->client == NULL)
		return;
	buf_append_text(&line, "MAINT_OK|");
	buf_append(&line, target);
	if (!line.is_failed)
		client_send(session->client, buf_bytes(&line));
	buf_free(&line);
}

static void
give_up(struct poll *poll)
{
	struct buf line = { 0 };
	char name[SESSION_NAME_SIZE];

	log_info("session %s: %s: %s", session_name(poll->session, name),
	    poll->target, poll->fault);
	buf_printf(&line, "ERROR|%s", poll->fault);
	if (poll->session->client != NULL && !line.is_failed)
		client_send(poll->session->client, buf_bytes(&line));
	buf_free(&line);
	poll_free(poll);
}

static void
wait_for_round(struct poll *poll)
{
	if (++poll->round >= ROUNDS) {
		give_up(poll);
		return;
	}
	ev_timer_set(&poll->pause, PAUSE_S, 0.0);
	ev_timer_start(poll->protocol->loop, &poll->pause);
}

static void
on_fetched(void *context, const struct fetch_outcome *outcome)
{
	struct poll *poll = context;
	bool is_good = outcome->status != 0 &&
	    (!poll->is_page || outcome->status < PAGE_LIMIT);

	poll->fetch = NULL;
	if (!is_good) {
		wait_for_round(poll);
		return;
	}
	poll->next++;
	ask(poll);
}

static void
ask(struct poll *poll)
{
	if (poll->session->is_gone) {
		poll_free(poll);
		return;
	}
	if (poll->next == poll->count) {
		tell_good(poll->session, bytes_of(poll->target));
		poll_free(poll);
		return;
	}
	poll->fetch = fetch_start(poll->protocol->loop,
	    poll->protocol->resolver, bytes_of(poll->urls[poll->next]),
	    TIMEOUT_MS, on_fetched, poll);
	if (poll->fetch == NULL)
		wait_for_round(poll);
}

static void
on_pause(struct ev_loop *loop, ev_timer *pause, int events)
{
	(void)loop;
	(void)events;
	ask(pause->data);
}

static void
end_former(const struct poll_order *order)
{
	struct poll *poll, *next;

	for (poll = LIST_FIRST(&order->session->protocol->polls);
	    poll != NULL; poll = next) {
		next = LIST_NEXT(poll, of_protocol);
		if (poll->session == order->session &&
		    bytes_is(order->target, poll->target))
			poll_free(poll);
	}
}

void
poll_start(const struct poll_order *order, char **urls, uint32_t count)
{
	struct poll *poll = calloc(1, sizeof(*poll));

	end_former(order);
	if (poll == NULL ||
	    (poll->target = bytes_duplicate(order->target)) == NULL) {
		free(poll);
		urls_free(urls, count);
		tell_good(order->session, order->target);
		return;
	}
	poll->protocol = order->session->protocol;
	poll->session = session_hold(order->session);
	poll->is_page = order->is_page;
	poll->fault = order->fault;
	poll->urls = urls;
	poll->count = count;
	ev_timer_init(&poll->pause, on_pause, PAUSE_S, 0.0);
	poll->pause.data = poll;
	LIST_INSERT_HEAD(&poll->protocol->polls, poll, of_protocol);
	ask(poll);
}

void
poll_end_all(struct protocol *protocol)
{
	struct poll *poll;

	while ((poll = LIST_FIRST(&protocol->polls)) != NULL)
		poll_free(poll);
}
