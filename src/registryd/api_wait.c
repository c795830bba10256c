/*
 * registryd/api_wait.c - ?wait=applied&scope=all: until every instance
 * shows what was written.
 *
 * The answer to a write that went well is held until each instance that
 * is not stale shows the generation that we show now.  When the time is
 * up, the answer says who is behind instead.  Who is stale is named and
 * not waited for.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <string.h>

#include "common/quantity.h"
#include "registryd/api_parts.h"

#define TIMEOUT_PRESET_MS INT64_C(5000)
#define TIMEOUT_MAX_MS	  INT64_C(3600000)

struct api_wait {
	LIST_ENTRY(api_wait) entry;
	struct registry *registry;
	struct admin_request *request;
	struct instances_listener listener;
	ev_timer timer;
	uint64_t generation;
	int64_t timeout_ms;
	bool is_known;			/* the rows were read */
	bool has_asked;			/* those behind to tell */

	/* the answer that is held */
	unsigned int status;
	const char *content_type;
	struct buf body;
};

/* The wait is over; its request, whose arena it is in, is the caller's
 * again. */
static struct admin_request *
end_wait(struct api_wait *wait)
{
	struct admin_request *request = wait->request;

	ev_timer_stop(wait->registry->loop, &wait->timer);
	instances_ignore(&wait->listener);
	LIST_REMOVE(wait, entry);
	buf_free(&wait->body);
	return request;
}

/* Who is where ------------------------------------------------------------ */

static bool
is_self(const struct api_wait *wait, const struct store_instance *instance)
{
	return strcmp(instance->run, wait->registry->instances.run) == 0;
}

static bool
is_behind(const struct api_wait *wait, const struct store_instance *instance)
{
	return !instance->is_stale && !is_self(wait, instance) &&
	    instance->generation < wait->generation;
}

static bool
is_lost(const struct api_wait *wait, const struct store_instance *instance)
{
	return instance->is_stale && !is_self(wait, instance);
}

/* A name for a field, whatever somebody may have put into the row. */
static void
append_name(struct buf *text, const char *name)
{
	for (; *name != '\0'; name++)
		buf_append_char(text,
		    *name > ' ' && *name < 0x7f && *name != ',' ? *name : '?');
}

/* The stale as a field of the answer. */
static void
name_stale(const struct api_wait *wait)
{
	const struct instance_row *row;
	struct buf names = { 0 };

	STAILQ_FOREACH(row, &wait->registry->instances.rows, entry) {
		if (!is_lost(wait, &row->instance))
			continue;
		if (names.len > 0)
			buf_append_text(&names, ", ");
		append_name(&names, row->instance.name);
	}
	if (names.len > 0 && !names.is_failed)
		admin_add_field(wait->request, "Sluice-Stale", "%s",
		    names.data);
	buf_free(&names);
}

static void
write_instances(const struct api_wait *wait, struct json_writer *writer,
    const char *key,
    bool (*is_one)(const struct api_wait *, const struct store_instance *))
{
	const struct instance_row *row;

	json_write_key(writer, key);
	json_write_begin(writer, '[');
	STAILQ_FOREACH(row, &wait->registry->instances.rows, entry) {
		if (!wait->is_known || !is_one(wait, &row->instance))
			continue;
		json_write_begin(writer, '{');
		json_write_key(writer, "instance");
		json_write_text(writer, row->instance.name);
		json_write_key(writer, "generation");
		json_write_integer(writer, (int64_t)row->instance.generation);
		json_write_end(writer, '}');
	}
	json_write_end(writer, ']');
}

/* "done here at generation 7; behind after 5s: b@host (6), c@host (5)" */
static void
describe(const struct api_wait *wait, struct buf *text)
{
	const struct instance_row *row;
	char span[QUANTITY_TEXT_SIZE];
	const char *separator = ": ";

	buf_printf(text, "done here at generation %" PRIu64 "; ",
	    wait->generation);
	if (!wait->is_known) {
		buf_append_text(text, "the store does not say who is behind");
		return;
	}
	buf_printf(text, "behind after %s",
	    quantity_format_span(wait->timeout_ms, span));
	STAILQ_FOREACH(row, &wait->registry->instances.rows, entry) {
		if (!is_behind(wait, &row->instance))
			continue;
		buf_append_text(text, separator);
		append_name(text, row->instance.name);
		buf_printf(text, " (%" PRIu64 ")", row->instance.generation);
		separator = ", ";
	}
}

/* Ends ------------------------------------------------------------------- */

static void
reply_behind(struct api_wait *wait)
{
	struct buf json = { 0 }, detail = { 0 };
	struct json_writer writer = json_writer(&json);

	describe(wait, &detail);
	json_write_begin(&writer, '{');
	json_write_key(&writer, "type");
	json_write_text(&writer, "about:blank");
	json_write_key(&writer, "title");
	json_write_text(&writer, http_status_phrase(504));
	json_write_key(&writer, "status");
	json_write_integer(&writer, 504);
	json_write_key(&writer, "reason");
	json_write_text(&writer, "not_applied");
	json_write_key(&writer, "detail");
	json_write_string(&writer, buf_bytes(&detail));
	json_write_key(&writer, "generation");
	json_write_integer(&writer, (int64_t)wait->generation);
	write_instances(wait, &writer, "behind", is_behind);
	write_instances(wait, &writer, "stale", is_lost);
	json_write_end(&writer, '}');
	admin_reply(end_wait(wait), 504, "application/problem+json",
	    buf_bytes(&json));
	buf_free(&json);
	buf_free(&detail);
}

static void
reply_held(struct api_wait *wait)
{
	unsigned int status = wait->status;
	const char *content_type = wait->content_type;
	struct buf body = wait->body;

	name_stale(wait);
	wait->body = (struct buf){ 0 };
	admin_reply(end_wait(wait), status, content_type, buf_bytes(&body));
	buf_free(&body);
}

static void
on_heard(void *context, const struct store_outcome *outcome)
{
	struct api_wait *wait = context;
	const struct instance_row *row;

	wait->is_known = outcome->result == STORE_OK;
	if (!wait->is_known)
		return;
	STAILQ_FOREACH(row, &wait->registry->instances.rows, entry)
		if (is_behind(wait, &row->instance))
			break;
	if (row == NULL) {
		reply_held(wait);
		return;
	}
	if (!wait->has_asked)
		instances_want(wait->registry, wait->generation);
	wait->has_asked = true;
}

static void
on_timeout(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop, (void)events;
	reply_behind(timer->data);
}

void
api_wait_give_up(struct registry *registry)
{
	struct api_wait *wait;

	while ((wait = LIST_FIRST(&registry->waits)) != NULL)
		api_reply_problem(end_wait(wait), 503, "stopping",
		    "done here, and not known whether everywhere: this "
		    "sluice stops");
}

/* The beginning ---------------------------------------------------------- */

/* The answer of the write that was asked to be held. */
static bool
hold(void *context, struct admin_request *request, unsigned int status,
    const char *content_type, struct bytes body)
{
	struct api_wait *wait = context;
	struct registry *registry = wait->registry;

	if (status >= 300 || registry->is_leaving)
		return false;
	wait->request = request;
	wait->status = status;
	wait->content_type = content_type;
	buf_append(&wait->body, body);
	wait->generation = registry->instances.shown;
	wait->listener.heard = on_heard;
	wait->listener.context = wait;
	ev_timer_init(&wait->timer, on_timeout,
	    (double)wait->timeout_ms / 1e3, 0.0);
	wait->timer.data = wait;
	ev_timer_start(registry->loop, &wait->timer);
	LIST_INSERT_HEAD(&registry->waits, wait, entry);
	instances_listen(registry, &wait->listener);
	return true;
}

/* false: answered. */
static bool
read_query(struct admin_request *request, bool *is_all_r, int64_t *timeout_ms_r)
{
	struct bytes value;

	*is_all_r = false;
	*timeout_ms_r = TIMEOUT_PRESET_MS;
	if (api_query(request, "wait", NULL, &value) &&
	    !bytes_is(value, "applied")) {
		api_reply_problem(request, 400, "bad_query",
		    "wait must be \"applied\"");
		return false;
	}
	if (api_query(request, "scope", NULL, &value)) {
		*is_all_r = bytes_is(value, "all");
		if (!*is_all_r && !bytes_is(value, "local")) {
			api_reply_problem(request, 400, "bad_query",
			    "scope must be \"local\" or \"all\"");
			return false;
		}
	}
	if (api_query(request, "timeout", NULL, &value) &&
	    (quantity_parse_span(value, false, timeout_ms_r) == -1 ||
		*timeout_ms_r < 1 || *timeout_ms_r > TIMEOUT_MAX_MS)) {
		api_reply_problem(request, 400, "bad_query",
		    "timeout must be a span of time like 5s, to 1h");
		return false;
	}
	return true;
}

bool
api_wait_prepare(struct registry *registry, struct admin_request *request)
{
	struct api_wait *wait;
	int64_t timeout_ms;
	bool is_all;

	if (!read_query(request, &is_all, &timeout_ms))
		return false;
	if (!is_all || api_query_flag(request, "dry_run") ||
	    !store_can_follow(registry->store))
		return true;
	if ((wait = arena_alloc(&request->arena, sizeof(*wait))) == NULL) {
		api_reply_problem(request, 503, "out_of_memory",
		    "out of memory; try again");
		return false;
	}
	*wait = (struct api_wait){ .registry = registry,
		.timeout_ms = timeout_ms };
	request->hold = hold;
	request->hold_context = wait;
	return true;
}
