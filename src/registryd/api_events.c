/*
 * registryd/api_events.c - /v1/events: what happens, as server-sent events.
 *
 * Source: HTML Living Standard, section 9.2 (text/event-stream).
 */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "registryd/api_parts.h"
#include "registryd/news.h"

#define COMMENT_S 15.0			/* a dead client is found out */

struct event_stream {
	struct news_listener listener;
	struct admin_request *request;
	struct ev_loop *loop;
	ev_timer comment;
	uint32_t types;			/* 1 << enum news_type */
};

static void
on_gone(void *context)
{
	struct event_stream *stream = context;

	news_leave(&stream->listener);
	ev_timer_stop(stream->loop, &stream->comment);
	free(stream);
}

static void
on_news(void *context, const struct news *news)
{
	struct event_stream *stream = context;
	struct buf text = { 0 };

	if ((stream->types & 1u << news->type) == 0)
		return;
	buf_printf(&text, "event: %s\ndata: %.*s\n\n",
	    news_type_name(news->type), BYTES_ARGS(news->json));
	if (!text.is_failed)
		admin_stream_write(stream->request, buf_bytes(&text));
	buf_free(&text);
}

static void
on_comment(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct event_stream *stream = timer->data;

	(void)loop;
	(void)events;
	admin_stream_write(stream->request, bytes_of(": still here\n\n"));
}

/* The types of ?type=; all without one; 0: answered. */
static uint32_t
read_types(struct admin_request *request)
{
	struct bytes value;
	uint32_t next = 0, types = 0, bits;

	while (api_query(request, "type", &next, &value)) {
		if ((bits = news_type_bits(value)) == 0) {
			api_reply_problem(request, 400, "bad_query",
			    "there is no type \"%.*s\" of events",
			    BYTES_ARGS(value));
			return 0;
		}
		types |= bits;
	}
	return types == 0 ? NEWS_ALL : types;
}

void
api_events(struct registry *registry, struct admin_request *request)
{
	uint32_t types = read_types(request);
	struct event_stream *stream;

	if (types == 0)
		return;
	if (request->http.method_id == HTTP_METHOD_HEAD) {
		admin_reply(request, 200, "text/event-stream", bytes_of(""));
		return;
	}
	if ((stream = calloc(1, sizeof(*stream))) == NULL) {
		api_reply_problem(request, 503, "out_of_memory",
		    "out of memory; try again");
		return;
	}
	stream->request = request;
	stream->loop = registry->loop;
	stream->types = types;
	stream->listener.hear = on_news;
	stream->listener.context = stream;
	ev_timer_init(&stream->comment, on_comment, COMMENT_S, COMMENT_S);
	stream->comment.data = stream;
	ev_timer_start(stream->loop, &stream->comment);
	news_listen(&registry->news, &stream->listener);
	admin_stream_begin(request, "text/event-stream", on_gone, stream);
}
