/*
 * registryd/protocol/command_events.c - who wants to hear of what.
 */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "registryd/news.h"
#include "registryd/protocol/command.h"

/* A subscription on its way to the store. */
struct subscribing {
	struct client *client;
	struct session *session;
	const char *word;
	uint32_t events_before;
};

static void
on_kept(void *context, bool is_kept)
{
	struct subscribing *subscribing = context;
	struct session *session = subscribing->session;

	session->is_busy = false;
	if (is_kept) {
		client_answer(subscribing->client, "%s",
		    subscribing->word);
	} else {
		session->events = subscribing->events_before;
		client_refuse(subscribing->client,
		    "store unavailable");
	}
	protocol_wake(session->protocol);
	session_release(&subscribing->session);
	free(subscribing);
}

static void
subscribe(struct client *client, uint32_t events, const char *word)
{
	struct subscribing *subscribing = calloc(1, sizeof(*subscribing));
	struct session *session = client->session;
	struct note_changes changes = { 0 };
	uint32_t before = session->events;

	session->events = events;
	if (subscribing != NULL && session_add_note(session, &changes) == 0) {
		*subscribing = (struct subscribing){ client,
			session_hold(session), word, before };
		session->is_busy = true;
		if (note_queue_put(session->protocol->notes, &changes,
			on_kept, subscribing) == 0)
			return;
		session->is_busy = false;
		session_release(&subscribing->session);
	}
	note_changes_clear(&changes);
	free(subscribing);
	session->events = before;
	client_refuse(client, "store unavailable");
}

void
command_subscribe(struct client *client)
{
	uint32_t bits = news_type_bits(client->line.fields[1]);

	if (bits == 0)
		client_refuse(client, "invalid format");
	else
		subscribe(client, client->session->events | bits,
		    "SUBSCRIBE_OK");
}

void
command_unsubscribe(struct client *client)
{
	uint32_t bits = news_type_bits(client->line.fields[1]);

	if (bits == 0)
		client_refuse(client, "invalid format");
	else
		subscribe(client, client->session->events & ~bits,
		    "UNSUBSCRIBE_OK");
}
