/*
 * registryd/protocol/protocol.c - listeners, clocks and the end of the
 * registration protocol.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/protocol/protocol.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/resolver.h"
#include "daemon/tls.h"
#include "registryd/protocol/apply.h"
#include "registryd/protocol/poll.h"
#include "registryd/protocol/session_take.h"
#include "registryd/registry.h"

#define ACCEPT_AT_ONCE	64
#define ACCEPT_PAUSE_S	0.1
#define CONNECTIONS_MAX 32768
#define TICK_S		1.0

/* Listeners -------------------------------------------------------------- */

static void
start_listeners(struct protocol *protocol)
{
	for (uint32_t i = 0; i < protocol->listener_count; i++)
		ev_io_start(protocol->loop,
		    &protocol->listeners[i].readable);
}

static void
stop_listeners(struct protocol *protocol)
{
	for (uint32_t i = 0; i < protocol->listener_count; i++)
		ev_io_stop(protocol->loop, &protocol->listeners[i].readable);
}

static void
pause_accepting(struct protocol *protocol)
{
	stop_listeners(protocol);
	ev_timer_set(&protocol->accept_again, ACCEPT_PAUSE_S, 0.0);
	ev_timer_start(protocol->loop, &protocol->accept_again);
}

/* false: there is nobody more to accept now. */
static bool
accept_one(const struct protocol_listener *listener)
{
	struct protocol *protocol = listener->protocol;
	int fd = accept4(listener->readable.fd, NULL, NULL,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0 && protocol->client_count >= CONNECTIONS_MAX) {
		log_warn("registration: more than %d connections: one "
			 "refused", CONNECTIONS_MAX);
		close(fd);
		return true;
	}
	if (fd >= 0) {
		client_open(protocol, fd,
		    listener->is_tls ? protocol->tls : NULL);
		return true;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
	    errno == ENOMEM) {
		log_warn("registration: accept: %m: pausing");
		pause_accepting(protocol);
		return false;
	}
	return errno == ECONNABORTED || errno == EINTR;
}

static void
on_acceptable(struct ev_loop *loop, ev_io *readable, int events)
{
	struct protocol_listener *listener = readable->data;

	(void)loop;
	(void)events;
	for (int i = 0; i < ACCEPT_AT_ONCE; i++)
		if (!accept_one(listener))
			return;
}

static void
on_accept_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct protocol *protocol = timer->data;

	(void)loop;
	(void)events;
	if (!protocol->is_stopping)
		start_listeners(protocol);
}

int
protocol_listen(struct protocol *protocol, int fd, bool is_tls)
{
	struct protocol_listener *listener;

	if (protocol->listener_count == PROTOCOL_LISTENERS_MAX) {
		errno = ENOSPC;
		return -1;
	}
	listener = &protocol->listeners[protocol->listener_count++];
	listener->protocol = protocol;
	listener->is_tls = is_tls;
	ev_io_init(&listener->readable, on_acceptable, fd, EV_READ);
	listener->readable.data = listener;
	return 0;
}

/* Loading ---------------------------------------------------------------- */

static void
load_token(struct protocol *protocol, const struct store_note *note)
{
	struct token *token = token_read(note->key, note->body);

	if (token == NULL)
		log_warn("token of the store: left out");
	else
		TAILQ_INSERT_TAIL(&protocol->tokens, token, of_all);
}

void
protocol_load_note(struct protocol *protocol, const struct store_note *note)
{
	if (protocol->is_loaded)
		session_follow_note(protocol, note);
	else if (note->kind == NOTE_TOKEN)
		load_token(protocol, note);
	else
		session_load_note(protocol, note);
}

/* What a load that failed left is none. */
void
protocol_load_begin(struct protocol *protocol)
{
	struct session *session;
	struct token *token, *next;

	session_follow_begin(protocol);
	if (protocol->is_loaded)
		return;
	for (token = TAILQ_FIRST(&protocol->tokens); token != NULL;
	    token = next) {
		next = TAILQ_NEXT(token, of_all);
		if (!token->is_static) {
			TAILQ_REMOVE(&protocol->tokens, token, of_all);
			token_free(&token);
		}
	}
	while ((session = TAILQ_FIRST(&protocol->sessions)) != NULL)
		session_drop(session);
}

static void
start_session(struct session *session)
{
	session_load_done(session);
	if (session_is_ours(session))
		poll_start_all(session);
	else
		session_forget_staged(session);
}

void
protocol_load_done(struct protocol *protocol, uint64_t note_version)
{
	struct session *session;

	if (protocol->is_loaded) {
		session_follow_done(protocol, true);
		protocol->note_version = note_version;
		return;
	}
	protocol->note_version = note_version;
	TAILQ_FOREACH(session, &protocol->sessions, of_all)
		start_session(session);
	protocol->is_loaded = true;
	if (protocol->session_count > 0)
		log_notice("registration: %u sessions wait for their clients",
		    protocol->session_count);
	start_listeners(protocol);
	ev_timer_start(protocol->loop, &protocol->tick);
}

void
protocol_turn_away(struct protocol *protocol)
{
	start_listeners(protocol);
}

void
protocol_follow_begin(struct protocol *protocol)
{
	if (protocol->note_version == 0)
		session_follow_begin(protocol);
}

void
protocol_follow_note(struct protocol *protocol, const struct store_note *note)
{
	session_follow_note(protocol, note);
}

void
protocol_follow_done(struct protocol *protocol, uint64_t note_version)
{
	session_follow_done(protocol, protocol->note_version == 0);
	protocol->note_version = note_version;
}

/* Clocks ----------------------------------------------------------------- */

static void
on_removed(void *context, const char *fault)
{
	struct session *session = context;
	char name[SESSION_NAME_SIZE];

	if (fault != NULL)
		log_warn("session %s: not removed: %s: trying again",
		    session_name(session, name), fault);
}

static void
on_disabled(void *context, const char *fault)
{
	struct session *session = context;
	char name[SESSION_NAME_SIZE];

	if (fault != NULL)
		log_warn("session %s: not disabled: %s: trying again",
		    session_name(session, name), fault);
}

static void
order(struct session *session, enum apply_kind kind, const char *cause,
    apply_done_fn *done)
{
	const struct apply_order order = {
		.kind = kind,
		.session = session,
		.cause = cause,
		.done = done,
		.context = session,
	};

	if (apply_submit(&order) == -1)
		log_warn("session: out of memory: trying again");
}

static void
check_lost(struct session *session, struct instant now)
{
	const struct settings *settings =
	    session->protocol->registry->daemon->settings;
	char name[SESSION_NAME_SIZE];

	if (session->client != NULL || session->is_busy)
		return;
	if (!session_is_ours(session)) {
		session_check_orphan(session, now);
		return;
	}
	if (instant_diff_ms(now, session->lost) >=
	    settings->registration.grace_ms) {
		log_notice("session %s: its client did not come back: removed",
		    session_name(session, name));
		order(session, APPLY_REMOVE, "did not come back",
		    on_removed);
	} else if (settings->registration.on_disconnect ==
		ON_DISCONNECT_DISABLE &&
	    !session->is_disabled && session->active.count > 0) {
		order(session, APPLY_DISABLE, "is away", on_disabled);
	}
}

static void
check_staged(struct session *session, struct instant now)
{
	const struct settings *settings =
	    session->protocol->registry->daemon->settings;
	struct note_changes changes = { 0 };
	char name[SESSION_NAME_SIZE];

	if (session->line_count == 0 || session->is_busy ||
	    instant_diff_ms(now, session->staged_at) <
		settings->registration.staged_expiry_ms)
		return;
	log_info("session %s: what it staged has expired",
	    session_name(session, name));
	session_roll_back(session);
	if (note_changes_add(&changes, NOTE_REMOVE_ALL, NOTE_STAGED,
		session->key, 0, NULL) == -1 ||
	    note_queue_put(session->protocol->notes, &changes, NULL,
		NULL) == -1)
		log_warn("session %s: expiry is not kept: out of memory",
		    session_name(session, name));
}

static void
on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct protocol *protocol = timer->data;
	struct instant now = clock_now();
	struct session *session;

	(void)loop;
	(void)events;
	if (protocol->registry->model == NULL || protocol->is_stopping)
		return;
	TAILQ_FOREACH(session, &protocol->sessions, of_all) {
		check_lost(session, now);
		check_staged(session, now);
	}
}

static void
on_wake(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct protocol *protocol = timer->data;
	struct client *client, *next;

	(void)loop;
	(void)events;
	for (client = LIST_FIRST(&protocol->clients);
	    client != NULL; client = next) {
		next = LIST_NEXT(client, of_protocol);
		if (client->is_waiting)
			client_advance(client);
	}
}

void
protocol_wake(struct protocol *protocol)
{
	ev_timer_start(protocol->loop, &protocol->wake);
}

static void
on_sweep(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct protocol *protocol = timer->data;
	struct client *client, *next;

	(void)loop;
	(void)events;
	for (client = LIST_FIRST(&protocol->closed); client != NULL;
	    client = next) {
		next = LIST_NEXT(client, of_protocol);
		if (!client->is_busy)
			client_free(client);
	}
}

/* Life ------------------------------------------------------------------- */

static int
write_notes(void *context, const struct store_commit *commit)
{
	return spool_commit(context, commit);
}

static void
on_kept(void *context, const struct note_changes *changes)
{
	struct registry *registry = context;

	replica_put_notes(registry->replica, changes);
}

int
protocol_new(struct registry *registry, struct protocol **protocol_r)
{
	struct protocol *protocol = calloc(1, sizeof(*protocol));

	if (protocol == NULL)
		return -1;
	protocol->registry = registry;
	protocol->loop = registry->loop;
	LIST_INIT(&protocol->clients);
	LIST_INIT(&protocol->closed);
	TAILQ_INIT(&protocol->sessions);
	session_tree_init(&protocol->by_key);
	ev_timer_init(&protocol->accept_again, on_accept_again,
	    ACCEPT_PAUSE_S, 0.0);
	protocol->accept_again.data = protocol;
	ev_timer_init(&protocol->sweep, on_sweep, 0.0, 0.0);
	protocol->sweep.data = protocol;
	ev_timer_init(&protocol->wake, on_wake, 0.0, 0.0);
	protocol->wake.data = protocol;
	ev_timer_init(&protocol->tick, on_tick, TICK_S, TICK_S);
	protocol->tick.data = protocol;
	protocol->notes = note_queue_new(registry->loop, write_notes,
	    registry);
	protocol->resolver = resolver_new(registry->loop);
	LIST_INIT(&protocol->tests);
	LIST_INIT(&protocol->takings);
	TAILQ_INIT(&protocol->tokens);
	TAILQ_INIT(&protocol->handshakes);
	if (protocol->notes == NULL || protocol->resolver == NULL) {
		free(protocol);
		return -1;
	}
	note_queue_on_kept(protocol->notes, on_kept, registry);
	protocol_listen_news(protocol);
	protocol_take_static_tokens(protocol);
	*protocol_r = protocol;
	return 0;
}

/* Sessions stay: a restart is no end of theirs. */
void
protocol_drain(struct protocol *protocol, void (*on_idle)(void *context),
    void *context)
{
	struct client *client, *next;

	if (protocol->is_stopping)
		return;
	protocol->is_stopping = true;
	note_queue_on_idle(protocol->notes, on_idle, context);
	stop_listeners(protocol);
	ev_timer_stop(protocol->loop, &protocol->accept_again);
	for (client = LIST_FIRST(&protocol->clients);
	    client != NULL; client = next) {
		next = LIST_NEXT(client, of_protocol);
		if (client->session != NULL &&
		    client->session->events != 0)
			client_send(client, bytes_of("SHUTDOWN"));
		client_finish(client);
	}
}

bool
protocol_is_idle(const struct protocol *protocol)
{
	return note_queue_is_idle(protocol->notes);
}

static void
free_clients(struct protocol *protocol)
{
	struct client *client;

	while ((client = LIST_FIRST(&protocol->clients)) != NULL)
		client_close(client);
	while ((client = LIST_FIRST(&protocol->closed)) != NULL)
		client_free(client);
}

static void
free_sessions(struct protocol *protocol)
{
	struct session *session;
	struct token *token;

	while ((session = TAILQ_FIRST(&protocol->sessions)) != NULL)
		session_drop(session);
	while ((token = TAILQ_FIRST(&protocol->tokens)) != NULL) {
		TAILQ_REMOVE(&protocol->tokens, token, of_all);
		token_free(&token);
	}
}

void
protocol_free(struct protocol **p)
{
	struct protocol *protocol = *p;

	*p = NULL;
	if (protocol == NULL)
		return;
	news_leave(&protocol->listener);
	command_test_end_all(protocol);
	taking_end_all(protocol);
	stop_listeners(protocol);
	free_clients(protocol);
	free_sessions(protocol);
	ev_timer_stop(protocol->loop, &protocol->accept_again);
	ev_timer_stop(protocol->loop, &protocol->sweep);
	ev_timer_stop(protocol->loop, &protocol->wake);
	ev_timer_stop(protocol->loop, &protocol->tick);
	note_queue_free(&protocol->notes);
	resolver_free(&protocol->resolver);
	tls_context_free(&protocol->tls);
	free(protocol);
}
