/*
 * registryd/protocol/news_lines.c - EVENT lines to sessions that asked.
 *
 * What is about a backend goes to the sessions that it belongs to; what
 * is about all of sluice to every subscriber.
 */
/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "registryd/protocol/apply.h"
#include "registryd/protocol/condition.h"
#include "registryd/protocol/protocol.h"
#include "registryd/registry.h"

/* Whether the backend is one of the session's. */
static bool
has_backend(const struct session *session, uint64_t id)
{
	const struct model *model = session->protocol->registry->model;
	const struct model_backend *wanted = model_find_backend(model, id);
	const struct model_backend *backend;
	struct backend_walk walk = { 0 };
	char owner[PLACE_NAME_SIZE];

	if (wanted == NULL || wanted->object.origin != ORIGIN_SESSION)
		return false;
	place_owner(wanted->object.service, owner);
	if (strcmp(owner, session->service) != 0)
		return false;
	while ((backend = backend_walk_next(&walk, model, session,
		    bytes_of("ALL"))) != NULL)
		if (backend == wanted)
			return true;
	return false;
}

static void
hear(void *context, const struct news *news)
{
	struct protocol *protocol = context;
	struct session *session;
	struct buf line = { 0 };

	buf_printf(&line, "EVENT|%s|%.*s", news_type_name(news->type),
	    BYTES_ARGS(news->json));
	TAILQ_FOREACH(session, &protocol->sessions, of_all) {
		if (line.is_failed || session->client == NULL ||
		    (session->events & 1u << news->type) == 0 ||
		    protocol->registry->model == NULL)
			continue;
		if (news->backend_id == 0 ||
		    has_backend(session, news->backend_id))
			client_send(session->client, buf_bytes(&line));
	}
	buf_free(&line);
}

void
protocol_listen_news(struct protocol *protocol)
{
	protocol->listener.hear = hear;
	protocol->listener.context = protocol;
	news_listen(&protocol->registry->news, &protocol->listener);
}
