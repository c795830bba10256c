/*
 * registryd/api_reload.c - POST /v1/reload: asks the master, and waits.
 */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "common/log.h"
#include "registryd/api_parts.h"

#define ANSWER_TIMEOUT_S 30.0

/* Takes the request out of the waiting ones. */
static struct admin_request *
take(struct reload_wait *wait)
{
	struct admin_request *request = wait->request;

	ev_timer_stop(wait->registry->loop, &wait->timer);
	LIST_REMOVE(wait, waiting);
	free(wait);
	return request;
}

static void
on_timeout(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	api_reply_problem(take(timer->data), 504, "master_timeout",
	    "the master has not answered; see its log");
}

static void
reply_outcome(struct admin_request *request,
    const struct role_outcome *outcome)
{
	struct buf json = { 0 };
	struct json_writer writer = json_writer(&json);
	struct bytes text = bytes_of(outcome->text);

	while (text.len > 0 && text.data[text.len - 1] == '\n')
		text.len--;
	if (!outcome->is_good) {
		api_reply_problem(request, 422, "bad_configuration", "%.*s",
		    BYTES_ARGS(text));
		return;
	}
	json_write_begin(&writer, '{');
	json_write_key(&writer, "status");
	json_write_text(&writer, "reloaded");
	json_write_key(&writer, "detail");
	json_write_string(&writer, text);
	json_write_end(&writer, '}');
	admin_reply_json(request, 200, &json);
}

void
api_reload_done(struct registry *registry, const struct role_outcome *outcome)
{
	struct reload_wait *wait;

	LIST_FOREACH(wait, &registry->reloads, waiting) {
		if (wait->id != outcome->id)
			continue;
		reply_outcome(take(wait), outcome);
		return;
	}
}

void
api_reload_give_up(struct registry *registry)
{
	struct reload_wait *wait;

	while ((wait = LIST_FIRST(&registry->reloads)) != NULL)
		api_reply_problem(take(wait), 503, "stopping",
		    "sluice is stopping");
}

void
api_reload(struct registry *registry, struct admin_request *request)
{
	struct reload_wait *wait = calloc(1, sizeof(*wait));
	struct role_request order = { .id = ++registry->reload_id };

	if (wait == NULL || registry->daemon->master == NULL ||
	    channel_send(registry->daemon->master, FROM_ROLE_RELOAD_PLEASE,
		&order, sizeof(order), NULL, 0) == -1) {
		free(wait);
		api_reply_problem(request, 503, "no_master",
		    "the master cannot be reached");
		return;
	}
	log_notice("reload asked for by %s (%s)", request->who,
	    request->from);
	wait->id = order.id;
	wait->request = request;
	wait->registry = registry;
	ev_timer_init(&wait->timer, on_timeout, ANSWER_TIMEOUT_S, 0.0);
	wait->timer.data = wait;
	ev_timer_start(registry->loop, &wait->timer);
	LIST_INSERT_HEAD(&registry->reloads, wait, waiting);
}
