/*
 * registryd/follow.c - what other instances change is routed here, too.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/follow_parts.h"

#include "common/log.h"
#include "registryd/protocol/protocol.h"
#include "registryd/registry.h"

static void ask(struct registry *);

static void
on_read(void *context, const struct store_outcome *outcome)
{
	struct registry *registry = context;
	struct follow *follow = &registry->follow;

	follow->outcome = *outcome;
	follow->is_read = true;
	replica_end_notes(registry->replica, outcome->result == STORE_OK);
	if (outcome->result == STORE_OK && follow->hears_notes)
		protocol_follow_done(registry->protocol,
		    outcome->note_version);
	if (outcome->result != STORE_OK)
		log_info("store: not followed: %s",
		    outcome->message == NULL ? "failed" : outcome->message);
	write_queue_go_on(registry->writes);
}

static void
on_note(void *context, const struct store_note *note)
{
	struct registry *registry = context;

	replica_add_note(registry->replica, note);
}

static int
begin_read(struct registry *registry)
{
	bool wants_notes = replica_wants_notes(registry->replica);

	if (wants_notes)
		replica_begin_notes(registry->replica);
	registry->follow.must_read = false;
	/* What the spool did to sessions the store has not heard of. */
	registry->follow.hears_notes = registry->protocol->is_loaded &&
	    !spool_is_waiting(registry->spool);
	if (registry->follow.hears_notes)
		protocol_follow_begin(registry->protocol);
	return follow_read(registry, follow_since(registry),
	    wants_notes ? on_note : NULL, on_read);
}

static int
plan_follow(struct write *write, const struct model *model, void *context)
{
	struct registry *registry = context;
	struct follow *follow = &registry->follow;

	(void)write;
	if (follow->is_read) {
		if (follow->outcome.result == STORE_CONFLICT ||
		    (follow->outcome.result == STORE_OK &&
			follow_apply(registry) == -1))
			registry_load_again(registry);
		return 0;
	}
	/* What was told of may have been our own, or be loaded by now. */
	if (registry->guard.is_held || registry->is_stale ||
	    spool_is_playing(registry->spool) ||
	    (!follow->must_read && !follow->has_gap &&
		follow->told <= model->generation))
		return 0;
	return begin_read(registry) == 0 ? WRITE_WAITS : 0;
}

static void
on_followed(struct write *write, void *context)
{
	struct registry *registry = context;
	struct follow *follow = &registry->follow;
	bool was_good = write->problem.status == 0 &&
	    (!follow->is_read || follow->outcome.result == STORE_OK);
	bool is_read = follow->is_read;

	if (was_good && follow->is_read && follow->told == follow->asked &&
	    follow->outcome.generation < follow->told)
		/* What is read is behind what is heard: not again at once. */
		follow->told = follow->outcome.generation;
	follow_forget(follow);
	follow->is_queued = false;
	if (was_good && is_read)
		spool_play(registry->spool);
	/* Told of something more while it was being read. */
	if (was_good && registry->model != NULL && !registry->is_stale &&
	    !registry->guard.is_held &&
	    (follow->must_read || follow->told > registry->model->generation))
		ask(registry);
}

static void
ask(struct registry *registry)
{
	struct follow *follow = &registry->follow;
	struct store_figures figures;
	struct write *write;

	store_figures(registry->store, &figures);
	if (follow->is_queued || registry->is_leaving ||
	    spool_is_playing(registry->spool) ||	/* asks at its end */
	    registry->model == NULL || !figures.is_up)
		return;
	if ((write = write_new(plan_follow, on_followed, registry)) == NULL)
		return;			/* the timer asks again */
	write->channel = "follow";
	follow->is_queued = true;
	write_queue_submit_first(registry->writes, write);
}

static void
on_news(void *context, uint64_t generation)
{
	struct registry *registry = context;
	struct follow *follow = &registry->follow;

	if (generation == 0)
		follow->must_read = true;
	else if (generation > follow->told)
		follow->told = generation;
	if (registry->model != NULL && (follow->must_read ||
		follow->told > registry->model->generation))
		ask(registry);
}

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct registry *registry = timer->data;

	(void)loop;
	(void)events;
	registry->follow.must_read = true;
	ask(registry);
}

void
follow_now(struct registry *registry)
{
	if (!store_can_follow(registry->store))
		return;
	registry->follow.must_read = true;
	ask(registry);
}

void
follow_skipped(void *context, uint64_t since)
{
	struct registry *registry = context;
	struct follow *follow = &registry->follow;

	if (!store_can_follow(registry->store))
		return;
	if (!follow->has_gap || since < follow->gap)
		follow->gap = since;
	follow->has_gap = true;
	follow->must_read = true;
	ask(registry);
}

void
follow_reload(struct registry *registry)
{
	double interval_s = (double)
	    registry->daemon->settings->store.follow_interval_ms / 1e3;

	if (!store_can_follow(registry->store))
		return;
	registry->follow.timer.repeat = interval_s;
	ev_timer_again(registry->loop, &registry->follow.timer);
}

void
follow_start(struct registry *registry)
{
	ev_timer_init(&registry->follow.timer, on_timer, 0.0, 0.0);
	registry->follow.timer.data = registry;
	store_set_on_news(registry->store, on_news, registry);
	follow_reload(registry);
}

void
follow_stop(struct registry *registry)
{
	ev_timer_stop(registry->loop, &registry->follow.timer);
	follow_forget(&registry->follow);
}
