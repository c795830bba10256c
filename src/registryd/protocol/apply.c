/*
 * registryd/protocol/apply.c - what a session wants, as one write.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/protocol/apply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registryd/protocol/protocol.h"
#include "registryd/registry.h"

struct apply {
	struct apply_order order;
	struct session_config config;
	bool has_config;
	uint32_t route_number;		/* whose turn it is; 0: nobody's */
	char fault[640];
};

/* Planning --------------------------------------------------------------- */

static bool
wants_disabled(const struct apply *apply)
{
	switch (apply->order.kind) {
	case APPLY_DISABLE:
		return true;
	case APPLY_ENABLE:
		return false;
	case APPLY_TRY:
	case APPLY_CONFIG:
	case APPLY_REMOVE:
	case APPLY_ADOPT:
		break;
	}
	return apply->order.session->is_disabled;
}

/* What the session will have; NULL: nothing. */
static const struct session_config *
config_after(const struct apply *apply)
{
	if (apply->order.kind == APPLY_REMOVE)
		return NULL;
	return apply->has_config ? &apply->config :
				   &apply->order.session->active;
}

/* The same route, with the same of ALL over it, stays as it is. */
static bool
is_untouched(const struct apply *apply, const struct session_config *other,
    const struct session_route *route)
{
	const struct session_config *config = config_after(apply);

	return apply->has_config &&
	    config_find_number(other, route->number) == route &&
	    pairs_equal(&config->headers,
		&apply->order.session->active.headers) &&
	    pairs_equal(&config->options,
		&apply->order.session->active.options);
}

static int
plan_route(struct apply *apply, const struct place_plan *plan,
    const struct session_route *route)
{
	struct problem *problem = &plan->write->problem;

	apply->route_number = route->number;
	if (route->prefix == NULL)
		return problem_set(problem, 422, "invalid", NULL,
		    "path is malformed");
	for (uint32_t i = 0; i < route->domain_count; i++) {
		const struct place place = { route->hosts[i], route->prefix,
			route };

		if (place.host == NULL)
			return problem_set(problem, 422, "invalid", NULL,
			    "domain %.200s is malformed", route->domains[i]);
		if (place_plan(plan, &place) == -1)
			return -1;
	}
	return 0;
}

/* Whether the session keeps the place. */
static bool
is_kept(const struct place_plan *plan, const struct place *place)
{
	const struct place_member *member = NULL;

	while ((member = place_index_next(&plan->index, place, member)) !=
	    NULL)
		if (member->session == plan->session)
			return true;
	return false;
}

/* Places that were planned with a route that the session keeps are not
 * planned again. */
static int
plan_left_places(struct apply *apply, const struct place_plan *plan,
    const struct session_route *route)
{
	apply->route_number = route->number;
	for (uint32_t i = 0; i < route->domain_count; i++) {
		const struct place place = { route->hosts[i], route->prefix,
			route };

		if (place.host == NULL || place.prefix == NULL ||
		    is_kept(plan, &place))
			continue;
		if (place_plan(plan, &place) == -1)
			return -1;
	}
	return 0;
}

/* What goes comes first: what comes may take its place. */
static int
plan_each(struct apply *apply, const struct place_plan *plan)
{
	const struct session_config *before = &plan->session->active;
	const struct session_config *after = config_after(apply);

	for (uint32_t i = 0; i < before->count; i++) {
		const struct session_route *route = before->routes[i];

		if ((after == NULL || !is_untouched(apply, after, route)) &&
		    plan_left_places(apply, plan, route) == -1)
			return -1;
	}
	for (uint32_t i = 0; after != NULL && i < after->count; i++) {
		const struct session_route *route = after->routes[i];

		if (!is_untouched(apply, before, route) &&
		    plan_route(apply, plan, route) == -1)
			return -1;
	}
	apply->route_number = 0;
	return 0;
}

static int
plan_places(struct apply *apply, struct place_plan *plan)
{
	int result;

	if (place_index_make(plan) == 0)
		result = plan_each(apply, plan);
	else
		result = problem_set(&plan->write->problem, 503,
		    "out_of_memory", NULL, "out of memory");
	place_index_clear(&plan->index);
	return result;
}

static int
add_notes(const struct apply *apply, struct write *write)
{
	const struct apply_order *order = &apply->order;
	struct session *session = order->session;
	int result = session_add_hold(session, &write->notes);

	switch (result == 0 ? order->kind : APPLY_TRY) {
	case APPLY_TRY:
		break;
	case APPLY_REMOVE:
		result = session_add_removal_notes(session, &write->notes);
		break;
	case APPLY_CONFIG:
		result = session_add_active_note(session, &apply->config,
		    &write->notes);
		if (result == 0)
			result = session_add_applied_notes(session,
			    &apply->config, order->scopes, &write->notes);
		/* FALLTHROUGH */
	case APPLY_ENABLE:
	case APPLY_DISABLE:
	case APPLY_ADOPT:
		if (result == 0)
			result = session_add_note(session, &write->notes);
		break;
	}
	return result == 0 ? 0 :
			     problem_set(&write->problem, 503,
				 "out_of_memory", NULL, "out of memory");
}

/* The session's figures as they are to be stored, while planning; the
 * write may still fail, so they are put back when it does. */
static int
plan(struct write *write, const struct model *model, void *context)
{
	struct apply *apply = context;
	struct session *session = apply->order.session;
	struct place_plan places = {
		.write = write,
		.model = model,
		.protocol = session->protocol,
		.session = session,
		.config = config_after(apply),
		.is_disabled = wants_disabled(apply),
	};
	int64_t applied_wall_ms = session->applied_wall_ms;
	bool is_disabled = session->is_disabled;
	int result;

	if (apply->order.kind != APPLY_ADOPT &&
	    plan_places(apply, &places) == -1)
		return -1;
	if (apply->order.kind == APPLY_CONFIG)
		session->applied_wall_ms = clock_wall_ms();
	session->is_disabled = places.is_disabled;
	result = add_notes(apply, write);
	session->applied_wall_ms = applied_wall_ms;
	session->is_disabled = is_disabled;
	return result;
}

/* Done ------------------------------------------------------------------- */

static void
take_over(struct apply *apply)
{
	struct session *session = apply->order.session;
	const struct registry *registry = session->protocol->registry;

	if (apply->order.kind != APPLY_TRY)
		snprintf(session->owner, sizeof(session->owner), "%s",
		    registry->instances.name);

	switch (apply->order.kind) {
	case APPLY_TRY:
		break;
	case APPLY_CONFIG:
		session->applied_wall_ms = clock_wall_ms();
		session_take_active(session, &apply->config,
		    apply->order.scopes);
		break;
	case APPLY_REMOVE:
		session_drop(session);
		break;
	case APPLY_ENABLE:
	case APPLY_DISABLE:
		session->is_disabled = wants_disabled(apply);
		break;
	case APPLY_ADOPT:
		break;
	}
}

/* The route that is at fault, or the first, since the text names one. */
static uint32_t
number_at_fault(const struct apply *apply)
{
	const struct session_config *config = config_after(apply);

	if (apply->route_number != 0)
		return apply->route_number;
	return config != NULL && config->count > 0 ?
	    config->routes[0]->number :
	    0;
}

static const char *
say_fault(struct apply *apply, const struct problem *problem)
{
	char owner[PLACE_NAME_SIZE];

	if (problem->status == 503 ||
	    strcmp(problem->word, "changed_elsewhere") == 0) {
		snprintf(apply->fault, sizeof(apply->fault),
		    "store unavailable");
	} else if (problem->owner[0] != '\0') {
		place_owner(problem->owner, owner);
		snprintf(apply->fault, sizeof(apply->fault),
		    "route r%" PRIu32 ": conflict with service %s",
		    number_at_fault(apply), owner);
	} else {
		snprintf(apply->fault, sizeof(apply->fault),
		    "route r%" PRIu32 ": %s", number_at_fault(apply),
		    problem->detail);
	}
	for (char *c = apply->fault; *c != '\0'; c++)
		if (*c == '|')
			*c = ' ';
	return apply->fault;
}

/* Stored, though not in the table yet: it will be. */
static bool
is_stored(const struct problem *problem)
{
	return problem->status == 0 ||
	    strcmp(problem->word, "not_published") == 0 ||
	    strcmp(problem->word, "not_applied") == 0;
}

static void
on_done(struct write *write, void *context)
{
	struct apply *apply = context;
	struct session *session = apply->order.session;
	const char *fault = NULL;

	if (is_stored(&write->problem))
		take_over(apply);
	if (write->problem.status != 0)
		fault = say_fault(apply, &write->problem);
	session->is_busy = false;
	apply->order.done(apply->order.context, fault);
	protocol_wake(session->protocol);
	config_clear(&apply->config);
	session_release(&session);
	free(apply);
}

static void
name_actor(const struct apply_order *order, struct write *write)
{
	char name[SESSION_NAME_SIZE];

	session_name(order->session, name);
	if (order->cause != NULL) {
		audit_by_itself(order->session->protocol->registry, write);
		snprintf(write->cause, sizeof(write->cause), "%s %s", name,
		    order->cause);
	} else {
		snprintf(write->who, sizeof(write->who), "%s", name);
		snprintf(write->from, sizeof(write->from), "%s",
		    order->session->from);
		write->channel = "session";
	}
	write->is_dry_run = order->kind == APPLY_TRY;
}

int
apply_submit(const struct apply_order *order)
{
	struct apply *apply = calloc(1, sizeof(*apply));
	struct write *write = NULL;

	if (apply != NULL)
		write = write_new(plan, on_done, apply);
	if (write == NULL) {
		free(apply);
		if (order->config != NULL)
			config_clear(order->config);
		return -1;
	}
	apply->order = *order;
	config_init(&apply->config);
	if (order->config != NULL) {
		apply->config = *order->config;
		apply->has_config = true;
		config_init(order->config);
	}
	session_hold(order->session);
	order->session->is_busy = true;
	name_actor(order, write);
	write_queue_submit(order->session->protocol->registry->writes, write);
	return 0;
}
