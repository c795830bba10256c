/*
 * registryd/protocol/poll.c - asking URLs each second until all answer.
 *
 * The URLs are asked one after the other; one that has answered is not
 * asked again.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/protocol/poll.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "registryd/protocol/fetch.h"
#include "registryd/protocol/protocol.h"
#include "registryd/registry.h"

#define TIMEOUT_MS 1000
#define PAGE_LIMIT 500			/* a page's status must be below */

/*
 * NEW -> ASKING -> GOOD or TIMED_OUT -> told, and gone
 */
enum poll_state { POLL_NEW, POLL_ASKING, POLL_GOOD, POLL_TIMED_OUT };

struct poll {
	LIST_ENTRY(poll) of_session;
	struct session *session;
	uint32_t number;		/* of its note */
	enum poll_state state;
	bool is_page;			/* else the backends */
	char *target, *page_url;	/* page_url "": none, nobody is asked */
	int64_t since_wall_ms;
	char **urls;
	uint32_t count, next;		/* next: the one that is asked */
	uint32_t round;
	struct fetch *fetch;
	ev_timer pause;
};

static void ask(struct poll *);

static struct ev_loop *
loop_of(const struct poll *poll)
{
	return poll->session->protocol->loop;
}

static const struct settings *
settings_of(const struct poll *poll)
{
	return poll->session->protocol->registry->daemon->settings;
}

/* Life ------------------------------------------------------------------- */

void
poll_drop(struct poll **p)
{
	struct poll *poll = *p;

	*p = NULL;
	if (poll == NULL)
		return;
	LIST_REMOVE(poll, of_session);
	fetch_cancel(&poll->fetch);
	ev_timer_stop(loop_of(poll), &poll->pause);
	for (uint32_t i = 0; i < poll->count; i++)
		free(poll->urls[i]);
	free(poll->urls);
	free(poll->target);
	free(poll->page_url);
	free(poll);
}

void
poll_drop_all(struct session *session)
{
	struct poll *poll;

	while ((poll = LIST_FIRST(&session->polls)) != NULL)
		poll_drop(&poll);
}

static void
on_pause(struct ev_loop *loop, ev_timer *pause, int events)
{
	(void)loop;
	(void)events;
	ask(pause->data);
}

struct poll *
poll_new(struct session *session, bool is_page, struct bytes target,
    struct bytes page_url)
{
	struct poll *poll = calloc(1, sizeof(*poll));

	if (poll == NULL)
		return NULL;
	poll->session = session;
	poll->is_page = is_page;
	poll->number = session->next_poll++;
	poll->since_wall_ms = clock_wall_ms();
	poll->target = bytes_duplicate(target);
	poll->page_url = bytes_duplicate(page_url);
	ev_timer_init(&poll->pause, on_pause, 0.0, 0.0);
	poll->pause.data = poll;
	LIST_INSERT_HEAD(&session->polls, poll, of_session);
	if (poll->target == NULL || poll->page_url == NULL)
		poll_drop(&poll);
	return poll;
}

/* Telling ---------------------------------------------------------------- */

/* It need not be kept any more. */
static void
forget(const struct poll *poll)
{
	struct session *session = poll->session;
	struct note_changes changes = { 0 };
	char name[SESSION_NAME_SIZE];

	if (note_changes_add(&changes, NOTE_REMOVE, NOTE_WAITING,
		session->key, poll->number, NULL) == -1 ||
	    note_queue_put(session->protocol->notes, &changes, NULL,
		NULL) == -1)
		log_warn("session %s: what it waited for: out of memory",
		    session_name(session, name));
}

/* Tells the outcome, if there is one and somebody to hear it. */
static void
tell(struct poll *poll)
{
	struct client *client = poll->session->client;
	struct buf line = { 0 };

	if (client == NULL)
		return;
	switch (poll->state) {
	case POLL_NEW:
	case POLL_ASKING:
		return;
	case POLL_GOOD:
		buf_printf(&line, "MAINT_OK|%s", poll->target);
		break;
	case POLL_TIMED_OUT:
		buf_printf(&line,
		    "ERROR|timeout waiting for %s to become reachable",
		    poll->is_page ? "maintenance page" : "backend");
		break;
	}
	if (!line.is_failed)
		client_send(client, buf_bytes(&line));
	buf_free(&line);
	forget(poll);
	poll_drop(&poll);
}

void
poll_tell_all(struct session *session)
{
	struct poll *poll, *next;

	for (poll = LIST_FIRST(&session->polls); poll != NULL; poll = next) {
		next = LIST_NEXT(poll, of_session);
		tell(poll);
	}
}

static void
give_up(struct poll *poll)
{
	char name[SESSION_NAME_SIZE];

	log_info("session %s: %s: its %s did not become reachable",
	    session_name(poll->session, name), poll->target,
	    poll->is_page ? "maintenance page" : "backend");
	poll->state = POLL_TIMED_OUT;
	tell(poll);
}

/* Rounds ----------------------------------------------------------------- */

/* Rounds begin an interval apart, however long an answer takes. */
static void
wait_for_round(struct poll *poll, int64_t took_ms)
{
	const struct settings *settings = settings_of(poll);
	int64_t rest_ms = settings->registration.poll_interval_ms - took_ms;

	if (++poll->round >= settings->registration.poll_limit) {
		give_up(poll);
		return;
	}
	ev_timer_set(&poll->pause,
	    rest_ms > 0 ? (double)rest_ms / 1000.0 : 0.0, 0.0);
	ev_timer_start(loop_of(poll), &poll->pause);
}

static void
on_fetched(void *context, const struct fetch_outcome *outcome)
{
	struct poll *poll = context;
	bool is_good = outcome->status != 0 &&
	    (!poll->is_page || outcome->status < PAGE_LIMIT);

	poll->fetch = NULL;
	if (!is_good) {
		wait_for_round(poll, outcome->took_ms);
		return;
	}
	poll->next++;
	ask(poll);
}

static void
ask(struct poll *poll)
{
	if (poll->next == poll->count) {
		poll->state = POLL_GOOD;
		tell(poll);
		return;
	}
	poll->fetch = fetch_start(loop_of(poll),
	    poll->session->protocol->resolver,
	    bytes_of(poll->urls[poll->next]), TIMEOUT_MS, on_fetched, poll);
	if (poll->fetch == NULL)
		wait_for_round(poll, 0);
}

/* Beginning -------------------------------------------------------------- */

static bool
is_known(const struct poll *poll, const char *url)
{
	for (uint32_t i = 0; i < poll->count; i++)
		if (strcmp(poll->urls[i], url) == 0)
			return true;
	return false;
}

/* Adds a copy, once.  Without memory one URL less is asked. */
static void
add_url(struct poll *poll, const char *url)
{
	char **longer;

	if (is_known(poll, url))
		return;
	longer = realloc(poll->urls, (poll->count + 1) * sizeof(*longer));
	if (longer == NULL)
		return;
	poll->urls = longer;
	if ((longer[poll->count] = strdup(url)) != NULL)
		poll->count++;
}

/* The page, or the backends that must answer again. */
static void
add_urls(struct poll *poll)
{
	const struct session_config *active = &poll->session->active;

	if (poll->is_page) {
		if (poll->page_url[0] != '\0')
			add_url(poll, poll->page_url);
		return;
	}
	for (uint32_t i = 0; i < active->count; i++)
		if (target_has(bytes_of(poll->target), active->routes[i]))
			add_url(poll, active->routes[i]->url);
}

static bool
is_former(const struct poll *poll, const struct poll *of)
{
	return poll != of && strcmp(poll->target, of->target) == 0;
}

void
poll_start(struct poll *poll)
{
	struct poll *other, *next;

	for (other = LIST_FIRST(&poll->session->polls); other != NULL;
	    other = next) {
		next = LIST_NEXT(other, of_session);
		if (is_former(other, poll))
			poll_drop(&other);
	}
	add_urls(poll);
	poll->state = POLL_ASKING;
	ask(poll);
}

/* The store -------------------------------------------------------------- */

/* "1795260740000|enter|http://page|target" */
int
poll_add_notes(const struct poll *poll, struct note_changes *changes)
{
	const struct poll *other;
	struct buf text = { 0 };
	int result = -1;

	LIST_FOREACH(other, &poll->session->polls, of_session)
		if (is_former(other, poll) &&
		    note_changes_add(changes, NOTE_REMOVE, NOTE_WAITING,
			poll->session->key, other->number, NULL) == -1)
			return -1;
	buf_printf(&text, "%" PRId64 "|%s|%s|%s", poll->since_wall_ms,
	    poll->is_page ? "enter" : "exit", poll->page_url, poll->target);
	if (!text.is_failed)
		result = note_changes_add(changes, NOTE_PUT, NOTE_WAITING,
		    poll->session->key, poll->number, text.data);
	buf_free(&text);
	return result;
}

void
poll_load_note(struct session *session, const struct store_note *note)
{
	struct bytes rest = bytes_of(note->body), since, verb, page_url;
	unsigned long long since_ms;
	struct poll *poll;
	char name[SESSION_NAME_SIZE];

	if (!bytes_next_field(&rest, '|', &since) ||
	    bytes_to_number(since, INT64_MAX, &since_ms) == -1 ||
	    !bytes_next_field(&rest, '|', &verb) ||
	    !bytes_next_field(&rest, '|', &page_url) ||
	    (poll = poll_new(session, bytes_is(verb, "enter"), rest,
		page_url)) == NULL) {
		log_warn("session %s: what it waits for: left out",
		    session_name(session, name));
		return;
	}
	poll->since_wall_ms = (int64_t)since_ms;
	poll->number = note->seq;
	if (session->next_poll <= note->seq)
		session->next_poll = note->seq + 1;
}

/* The rounds that passed meanwhile are not made up for, but one there is
 * in any case. */
static void
skip_rounds(struct poll *poll)
{
	const struct settings *settings = settings_of(poll);
	int64_t passed = (clock_wall_ms() - poll->since_wall_ms) /
	    settings->registration.poll_interval_ms;

	if (passed >= settings->registration.poll_limit)
		passed = settings->registration.poll_limit - 1;
	if (passed > 0)
		poll->round = (uint32_t)passed;
}

void
poll_start_all(struct session *session)
{
	struct poll *poll, *next;

	for (poll = LIST_FIRST(&session->polls); poll != NULL; poll = next) {
		next = LIST_NEXT(poll, of_session);
		skip_rounds(poll);
		add_urls(poll);
		poll->state = POLL_ASKING;
		ask(poll);
	}
}
