/*
 * registryd/protocol/condition.c - maintenance and drain of a session's
 * backends.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/protocol/condition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registryd/member.h"
#include "registryd/protocol/apply.h"
#include "registryd/protocol/protocol.h"
#include "registryd/registry.h"

struct ordering {
	struct condition_order order;
	char *target, *page_url;
};

/* Walking ---------------------------------------------------------------- */

const struct model_backend *
backend_walk_next(struct backend_walk *walk, const struct model *model,
    const struct session *session, struct bytes target)
{
	const struct session_config *active = &session->active;

	for (; walk->route < active->count; walk->route++, walk->host = 0) {
		const struct session_route *route =
		    active->routes[walk->route];

		if (!target_has(target, route))
			continue;
		while (walk->host < route->domain_count) {
			const struct model_backend *backend = place_backend(
			    model, session->service,
			    route->hosts[walk->host++], route);

			walk->at = route;
			if (backend != NULL)
				return backend;
		}
	}
	return NULL;
}

bool
session_has_target(const struct session *session, struct bytes target)
{
	struct bytes item;
	bool is_known = true;

	if (bytes_is(target, "ALL"))
		return true;
	while (is_known && bytes_next_field(&target, ',', &item)) {
		is_known = false;
		for (uint32_t i = 0; i < session->active.count && !is_known;
		    i++)
			is_known = target_has(item,
			    session->active.routes[i]);
	}
	return is_known;
}

/* Planning --------------------------------------------------------------- */

static int
enter_maintenance(const struct ordering *ordering, struct condition *condition,
    const char *who)
{
	int64_t entered = condition->maintenance_at_wall_ms;

	if (!condition->in_maintenance || entered == 0)
		entered = clock_wall_ms();
	condition_end_maintenance(condition);
	condition->in_maintenance = true;
	condition->maintenance_at_wall_ms = entered;
	if (text_set(&condition->maintenance_who, bytes_of(who)) == -1 ||
	    text_set(&condition->maintenance_reason, bytes_of("")) == -1 ||
	    text_set(&condition->allow, bytes_of("")) == -1)
		return -1;
	return text_set(&condition->page_url, bytes_of(ordering->page_url));
}

static int
start_drain(const struct ordering *ordering, struct condition *condition,
    const char *who)
{
	condition_end_drain(condition);
	condition->drain_at_wall_ms = ordering->order.at_wall_ms;
	condition->drain_span_ms = ordering->order.span_ms;
	if (text_set(&condition->drain_reason, bytes_of("")) == -1)
		return -1;
	return text_set(&condition->drain_who, bytes_of(who));
}

static int
change_condition(const struct ordering *ordering, struct condition *condition,
    const char *who)
{
	switch (ordering->order.verb) {
	case CONDITION_ENTER_MAINTENANCE:
		return enter_maintenance(ordering, condition, who);
	case CONDITION_EXIT_MAINTENANCE:
		condition_end_maintenance(condition);
		return 0;
	case CONDITION_START_DRAIN:
		return start_drain(ordering, condition, who);
	case CONDITION_CANCEL_DRAIN:
		condition_end_drain(condition);
		return 0;
	}
	return 0;
}

/* Whether the order would change nothing. */
static bool
is_so(const struct ordering *ordering, const struct condition *condition)
{
	switch (ordering->order.verb) {
	case CONDITION_EXIT_MAINTENANCE:
		return !condition->in_maintenance;
	case CONDITION_CANCEL_DRAIN:
		return condition->drain_at_wall_ms == 0;
	case CONDITION_ENTER_MAINTENANCE:
	case CONDITION_START_DRAIN:
		break;
	}
	return false;
}

static int
plan_backend(const struct ordering *ordering, struct write *write,
    const struct backend *before)
{
	struct backend backend;
	int result;

	if (is_so(ordering, &before->condition))
		return 0;
	if (backend_copy_object(before, &backend) == -1)
		return problem_set(&write->problem, 503, "out_of_memory",
		    NULL, "out of memory");
	if (change_condition(ordering, &backend.condition, write->who) == -1)
		result = problem_set(&write->problem, 503, "out_of_memory",
		    NULL, "out of memory");
	else
		result = write_put_backend(write, &backend, before);
	backend_clear(&backend);
	return result;
}

static int
compare_ids(const void *a, const void *b)
{
	uint64_t x = (*(const struct backend *const *)a)->id;
	uint64_t y = (*(const struct backend *const *)b)->id;

	return (x > y) - (x < y);
}

/* The backends that are meant; one may come several times.  0 or -1. */
static int
list_backends(const struct ordering *ordering, const struct model *model,
    const struct backend ***list_r, size_t *count_r)
{
	const struct model_backend *backend;
	struct backend_walk walk = { 0 };
	size_t size = 0;

	*list_r = NULL;
	*count_r = 0;
	while ((backend = backend_walk_next(&walk, model,
		    ordering->order.session,
		    bytes_of(ordering->target))) != NULL) {
		if (*count_r == size) {
			const struct backend **longer = realloc(*list_r,
			    (size = size == 0 ? 16 : 2 * size) *
				sizeof(*longer));

			if (longer == NULL)
				return -1;
			*list_r = longer;
		}
		(*list_r)[(*count_r)++] = &backend->object;
	}
	return 0;
}

static int
plan(struct write *write, const struct model *model, void *context)
{
	const struct ordering *ordering = context;
	const struct backend **list;
	size_t count;
	int result = 0;

	if (list_backends(ordering, model, &list, &count) == -1)
		result = problem_set(&write->problem, 503, "out_of_memory",
		    NULL, "out of memory");
	if (count > 0)
		qsort(list, count, sizeof(*list), compare_ids);
	for (size_t i = 0; i < count && result == 0; i++)
		if (i == 0 || list[i] != list[i - 1])
			result = plan_backend(ordering, write, list[i]);
	free(list);
	return result;
}

/* Done ------------------------------------------------------------------- */

static void
ordering_free(struct ordering *ordering)
{
	free(ordering->target);
	free(ordering->page_url);
	free(ordering);
}

static void
on_done(struct write *write, void *context)
{
	struct ordering *ordering = context;
	struct session *session = ordering->order.session;
	struct protocol *protocol = session->protocol;

	session->is_busy = false;
	ordering->order.done(ordering->order.context,
	    write->problem.status == 0 ? NULL : "store unavailable");
	session_release(&session);
	ordering_free(ordering);
	protocol_wake(protocol);
}

int
condition_submit(const struct condition_order *order)
{
	struct ordering *ordering = calloc(1, sizeof(*ordering));
	struct session *session = order->session;
	struct write *write;

	if (ordering == NULL)
		return -1;
	ordering->order = *order;
	ordering->target = bytes_duplicate(order->target);
	ordering->page_url = bytes_duplicate(order->page_url.data == NULL ?
		bytes_of("") :
		order->page_url);
	if (ordering->target == NULL || ordering->page_url == NULL ||
	    (write = write_new(plan, on_done, ordering)) == NULL) {
		ordering_free(ordering);
		return -1;
	}
	session_name(session, write->who);
	snprintf(write->from, sizeof(write->from), "%s", session->from);
	write->channel = "session";
	write->is_order = true;
	if (order->notes != NULL) {
		write->notes = *order->notes;
		*order->notes = (struct note_changes){ 0 };
	}
	session_hold(session);
	session->is_busy = true;
	write_queue_submit(session->protocol->registry->writes, write);
	return 0;
}
