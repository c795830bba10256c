/*
 * registryd/protocol/protocol.h - the registration protocol, as registryd
 * runs it: sluice-protocol(7).
 *
 * Listeners, connections (client.h), sessions (session.h) and tokens
 * (token.h), and the clock over them: sessions whose connection is lost
 * go after the grace, what is staged goes after its time.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_PROTOCOL_PROTOCOL_H
#define REGISTRYD_PROTOCOL_PROTOCOL_H

#include "registryd/news.h"
#include "registryd/note_queue.h"
#include "registryd/protocol/client.h"
#include "registryd/protocol/session.h"
#include "registryd/protocol/token.h"

#define PROTOCOL_LISTENERS_MAX 64

struct registry;
struct backend_test;
struct resolver;

struct protocol_listener {
	struct protocol *protocol;
	ev_io readable;
	bool is_tls;
};

LIST_HEAD(client_list, client);
LIST_HEAD(taking_list, taking);

struct protocol {
	struct registry *registry;
	struct ev_loop *loop;
	struct protocol_listener listeners[PROTOCOL_LISTENERS_MAX];
	uint32_t listener_count;
	ev_timer accept_again;		/* after EMFILE */
	struct client_list clients, closed;
	uint32_t client_count;
	struct tls_context *tls;	/* of the next connections; NULL: no
					 * listener has it */
	TAILQ_HEAD(, client) handshakes; /* the oldest first */
	uint32_t handshake_count;
	uint64_t handshake_failed_count;
	ev_timer sweep, wake, tick;
	struct session_list sessions;
	struct order_tree by_key;
	uint32_t session_count;
	struct token_list tokens;
	struct news_listener listener;
	struct note_queue *notes;
	struct resolver *resolver;	/* of what is fetched */
	LIST_HEAD(, backend_test) tests; /* under way */
	struct taking_list takings;	/* session_take.h */
	bool is_loaded;			/* the store has been read once */
	uint64_t note_version;		/* that was read; 0: read all */
	struct instant read_began;
	bool is_stopping;
};

MUST_CHECK int protocol_new(struct registry *, struct protocol **protocol_r);
/* Takes fd over; accepting begins when the store has been read. */
MUST_CHECK int protocol_listen(struct protocol *, int fd, bool is_tls);
/* certificates.c: what master read of the files; fd stays the caller's.
 * 0, or -1 with what there was (logged). */
MUST_CHECK int protocol_take_certificates(struct protocol *, int fd);

/* static_tokens.c: those of the settings, in place of those of the settings
 * before. */
void protocol_take_static_tokens(struct protocol *);

/* The notes of a load.  The first that is good makes the sessions; later
 * ones tell what others changed. */
void protocol_load_begin(struct protocol *);
void protocol_load_note(struct protocol *, const struct store_note *);
void protocol_load_done(struct protocol *, uint64_t note_version);
/* There may be no good load for long: until then each command is answered
 * with an error, where none was good before. */
void protocol_turn_away(struct protocol *);

/* What is new since note_version; 0: all notes. */
void protocol_follow_begin(struct protocol *);
void protocol_follow_note(struct protocol *, const struct store_note *);
void protocol_follow_done(struct protocol *, uint64_t note_version);

/* Connections whose command waits try it again, from the loop. */
void protocol_wake(struct protocol *);

/* Says SHUTDOWN to subscribers, and closes all; on_idle tells when what
 * was under way is over. */
void protocol_drain(struct protocol *, void (*on_idle)(void *context),
    void *context);
bool protocol_is_idle(const struct protocol *);

/* Behind a drain that is over: nothing of it is under way. */
void protocol_free(struct protocol **);

/* news_lines.c */
void protocol_listen_news(struct protocol *);

/* session.c */
void session_tree_init(struct order_tree *);

/* command.c: carries client->line out. */
void command_run(struct client *);

/* command_test.c: ends all that are under way, without an answer. */
void command_test_end_all(struct protocol *);

#endif
