/*
 * registryd/api_breaker.c - the breaker of a backend on /v1.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "registryd/api_parts.h"
#include "registryd/breaker_order.h"

#define ID_SEGMENT 2			/* of /v1/backends/ID/breaker */

static void
write_integer(struct json_writer *writer, const char *key, int64_t value)
{
	json_write_key(writer, key);
	json_write_integer(writer, value);
}

static const char *const state_words[] = {
	[BREAKER_CLOSED] = "closed",
	[BREAKER_OPEN] = "open",
	[BREAKER_HALF_OPEN] = "half-open",
};

#define GET(field) atomic_load_explicit(&(field), memory_order_relaxed)

static void
write_wall(struct json_writer *writer, const char *key, int64_t wall_ms)
{
	char text[CLOCK_RFC3339_SIZE];

	json_write_key(writer, key);
	if (wall_ms == 0) {
		json_write_null(writer);
		return;
	}
	clock_format_rfc3339(wall_ms, text);
	json_write_text(writer, text);
}

void
breaker_write(struct json_writer *writer, const struct health_map *health,
    const struct model_backend *backend)
{
	static const struct health_detail none;
	const struct health_detail *detail = backend->slot == TABLE_NONE ?
	    NULL : health_detail(health, backend->slot);
	uint32_t state;

	if (detail == NULL || GET(detail->backend_id) != backend->object.id)
		detail = &none;
	state = GET(detail->breaker_state);
	if (state > BREAKER_HALF_OPEN)
		state = BREAKER_CLOSED;
	json_write_begin(writer, '{');
	json_write_key(writer, "state");
	json_write_text(writer, state_words[state]);
	write_integer(writer, "failures", GET(detail->failures));
	write_integer(writer, "successes", GET(detail->successes));
	write_integer(writer, "opened_count",
	    (int64_t)GET(detail->opened_count));
	write_wall(writer, "last_failure", GET(detail->failed_wall_ms));
	write_wall(writer, "next_attempt", GET(detail->next_attempt_wall_ms));
	json_write_end(writer, '}');
}

static const struct model_backend *
backend_of(struct registry *registry, struct admin_request *request)
{
	const struct model_backend *backend;

	if (!api_has_model(registry, request))
		return NULL;
	backend = model_find_backend(registry->model,
	    api_id(request, ID_SEGMENT));
	if (backend == NULL)
		api_reply_problem(request, 404, "no_backend",
		    "there is no such backend");
	return backend;
}

static void
reply_breaker(struct registry *registry, struct admin_request *request,
    const struct model_backend *backend)
{
	struct buf buf = { 0 };
	struct json_writer writer = json_writer(&buf);

	breaker_write(&writer, registry->health, backend);
	admin_reply_json(request, 200, &buf);
}

void
api_breaker_get(struct registry *registry, struct admin_request *request)
{
	const struct model_backend *backend = backend_of(registry, request);

	if (backend != NULL)
		reply_breaker(registry, request, backend);
}

struct breaker_wait {
	struct registry *registry;
	struct admin_request *request;
};

static void
on_obeyed(void *context, bool is_done)
{
	struct breaker_wait *wait = context;
	const struct model_backend *backend = wait->registry->model == NULL ?
	    NULL :
	    model_find_backend(wait->registry->model,
		api_id(wait->request, ID_SEGMENT));

	if (is_done && backend != NULL)
		reply_breaker(wait->registry, wait->request, backend);
	else
		api_reply_problem(wait->request, 503, "healthd_unavailable",
		    "healthd did not obey; try again");
	free(wait);
}

/* 0 or -1: answered. */
static int
read_action(struct admin_request *request, enum breaker_action *action_r)
{
	struct json_doc *doc;
	size_t offset;
	char *word = NULL;
	int result = 0;

	if (json_parse(request->body, &doc, &offset) == 0) {
		int value = json_member(doc, json_root(doc), "action");

		word = value == JSON_NONE ? NULL : json_string(doc, value);
		json_doc_free(&doc);
	}
	if (word != NULL && strcmp(word, "trip") == 0)
		*action_r = BREAKER_TRIP;
	else if (word != NULL && strcmp(word, "reset") == 0)
		*action_r = BREAKER_RESET;
	else
		result = -1;
	free(word);
	if (result == -1)
		api_reply_problem(request, 422, "invalid",
		    "the body must be {\"action\":\"trip\"} or "
		    "{\"action\":\"reset\"}");
	return result;
}

void
api_breaker_post(struct registry *registry, struct admin_request *request)
{
	const struct model_backend *backend = backend_of(registry, request);
	const struct store_actor actor = { request->who, request->from, "api",
		request->id, "" };
	enum breaker_action action;
	struct breaker_wait *wait;

	if (backend == NULL || read_action(request, &action) == -1)
		return;
	if ((wait = calloc(1, sizeof(*wait))) == NULL) {
		api_reply_problem(request, 503, "out_of_memory",
		    "out of memory; try again");
		return;
	}
	wait->registry = registry;
	wait->request = request;
	if (breaker_order(registry, backend->object.id, action, &actor,
		on_obeyed, wait) == 0)
		return;
	free(wait);
	api_reply_problem(request, 503, "healthd_unavailable",
	    "healthd is not there: %s; try again", strerror(errno));
}
