/*
 * registryd/store/events.c - rows and answers on their way to the loop.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/events.h"

#include <stdlib.h>
#include <string.h>

#include "registryd/store/history.h"
#include "registryd/store/spool_body.h"

struct store_event *
event_new(enum event_type type, struct store_request *request)
{
	struct store_event *event = calloc(1, sizeof(*event));

	if (event == NULL)
		return NULL;
	event->type = type;
	event->request = request;
	return event;
}

struct store_event *
event_new_history(struct store_request *request,
    const struct store_history *history)
{
	struct store_event *event = event_new(EVENT_HISTORY, request);

	if (event == NULL)
		return NULL;
	if (history_copy(history, &event->body.history) == -1)
		event_drop(&event);
	return event;
}

static void
note_clear(struct store_note *note)
{
	free((void *)(uintptr_t)note->key);
	free((void *)(uintptr_t)note->body);
}

struct store_event *
event_new_note(struct store_request *request, const struct store_note *note)
{
	struct store_event *event = event_new(EVENT_NOTE, request);

	if (event == NULL)
		return NULL;
	event->body.note = *note;
	event->body.note.key = strdup(note->key);
	event->body.note.body = strdup(note->body);
	if (event->body.note.key == NULL || event->body.note.body == NULL)
		event_drop(&event);
	return event;
}

struct store_event *
event_new_spooled(struct store_request *request,
    const struct store_spooled *row)
{
	struct store_event *event = event_new(EVENT_SPOOLED, request);

	if (event != NULL &&
	    spooled_copy(row, &event->body.spooled) == -1)
		event_drop(&event);
	return event;
}

void
event_deliver(struct store_event **p)
{
	struct store_event *event = *p;
	struct store_request *request = event->request;
	const struct store_loader *load = &request->ask.load;

	switch (event->type) {
	case EVENT_SERVICE:
		load->service(load->context, &event->body.service);
		break;
	case EVENT_BACKEND:
		load->backend(load->context, &event->body.backend);
		break;
	case EVENT_ROUTE:
		load->route(load->context, &event->body.route);
		break;
	case EVENT_NOTE:
		load->note(load->context, &event->body.note);
		note_clear(&event->body.note);
		break;
	case EVENT_SPOOLED:
		load->spooled(load->context, &event->body.spooled);
		spooled_clear(&event->body.spooled);
		break;
	case EVENT_HISTORY:
		request->ask.history.row(request->context,
		    &event->body.history);
		history_clear(&event->body.history);
		break;
	case EVENT_DONE:
		request_finish(&event->request);
		break;
	}
	free(event);
	*p = NULL;
}

void
event_drop(struct store_event **p)
{
	struct store_event *event = *p;

	*p = NULL;
	switch (event->type) {
	case EVENT_SERVICE:
		service_clear(&event->body.service);
		break;
	case EVENT_BACKEND:
		backend_clear(&event->body.backend);
		break;
	case EVENT_ROUTE:
		route_clear(&event->body.route);
		break;
	case EVENT_NOTE:
		note_clear(&event->body.note);
		break;
	case EVENT_SPOOLED:
		spooled_clear(&event->body.spooled);
		break;
	case EVENT_HISTORY:
		history_clear(&event->body.history);
		break;
	case EVENT_DONE:
		request_drop(&event->request);
		break;
	}
	free(event);
}
