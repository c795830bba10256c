/*
 * registryd/protocol/session.h - who is registered, and what they want.
 *
 * Sessions outlive connections, registryd and sluice: what is here is in
 * the store as well (store/note.h), put there before it is answered.  A
 * session has at most one connection, and at most one thing under way.
 *
 * Of the sluices that share a store one has a session: the one that its
 * client is connected to, or was last.  It alone keeps its clocks and
 * carries out what it wants.  The others know what the session has active,
 * because places are shared, and take it over when its client comes to
 * them (session_take.h).
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_PROTOCOL_SESSION_H
#define REGISTRYD_PROTOCOL_SESSION_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/clock.h"
#include "registryd/instances.h"
#include "registryd/order_tree.h"
#include "registryd/protocol/config.h"
#include "registryd/store/store.h"

struct protocol;
struct client;
struct poll;

/* A line that was staged, as it stands in the store. */
struct staged_line {
	STAILQ_ENTRY(staged_line) entry;
	uint32_t seq;
	enum config_scope scope;
	char *text;			/* config_stage_text() */
};

STAILQ_HEAD(staged_lines, staged_line);

struct session {
	TAILQ_ENTRY(session) of_all;
	struct order_node by_key;
	struct protocol *protocol;
	uint32_t references;		/* the list's, and what is under way */
	char *key;			/* session_key() of its id */
	char *secret_id;		/* until it was told; else NULL */
	char *service, *instance;
	uint32_t maintenance_port;
	char *metadata;			/* JSON, without the token */
	char token[32];			/* the token's id; "" */
	char owner[INSTANCE_NAME_SIZE];	/* the sluice that has it; "" */
	char from[80];
	int64_t connected_wall_ms, active_wall_ms, applied_wall_ms;
	uint32_t events;		/* subscribed: 1 << enum event_type */

	struct client *opening;	/* it is being stored for this one */
	struct client *client;	/* NULL: gone, for the while */
	struct instant lost;		/* when it went */
	bool is_disabled;		/* its backends take nothing */
	bool is_busy;			/* a write of it is under way */
	bool is_gone;			/* no longer in the list */
	bool is_there;			/* in the store, as it was read last */
	struct instant kept;		/* when it was stored, or read */

	struct session_config active, staged;
	struct staged_lines lines;
	uint32_t line_count, next_seq;
	struct instant staged_at;
	LIST_HEAD(, poll) polls;	/* what MAINT_OK waits for */
	uint32_t next_poll;
};

TAILQ_HEAD(session_list, session);

/* "billing/a-1": for logs and history. */
#define SESSION_NAME_SIZE 64
const char *session_name(const struct session *, char name[SESSION_NAME_SIZE]);
/*
 * What is kept of an id, "a-1795260740-" and the SHA-256 of the whole: who
 * reads the store cannot act for a session.  0, or -1: no id is so long.
 */
#define SESSION_KEY_SIZE 224
MUST_CHECK int session_key(struct bytes id, char key_r[SESSION_KEY_SIZE]);
/* Whether that is its id. */
bool session_has_id(const struct session *, struct bytes id);
/* The id as it may be shown: its random part cut off. */
#define SESSION_PUBLIC_SIZE 160
const char *session_public_id(const struct session *,
    char text[SESSION_PUBLIC_SIZE]);

/* A session in the list; NULL when out of memory. */
struct session *session_new(struct protocol *, const char *key,
    const char *service, const char *instance);
struct session *session_find(const struct protocol *, struct bytes id);
struct session *session_find_key(const struct protocol *, const char *key);
/* The session of that service and instance. */
struct session *session_find_owner(const struct protocol *,
    const char *service, const char *instance);

/* Whether this sluice has it; always where the store is not shared. */
bool session_is_ours(const struct session *);
/* Another has it now: its connection here has no session any more. */
void session_let_go(struct session *);

struct session *session_hold(struct session *);
void session_release(struct session **);
/* Takes it out of the list, away from its connection, and lets go. */
void session_drop(struct session *);

/* Binds to the connection, taken from another if need be; NULL: lost. */
void session_attach(struct session *, struct client *);
void session_detach(struct session *);

/* session_store.c */

/* What NOTE_SESSION holds; the owner is this sluice. */
char *session_text(const struct session *);
MUST_CHECK int session_add_note(const struct session *,
    struct note_changes *);
MUST_CHECK int session_add_active_note(const struct session *,
    const struct session_config *, struct note_changes *);
MUST_CHECK int session_add_removal_notes(const struct session *,
    struct note_changes *);
/* The write is a conflict if another has the session by now. */
MUST_CHECK int session_add_hold(const struct session *,
    struct note_changes *);
/* A row of the store.  Sessions come before what they have. */
void session_load_note(struct protocol *, const struct store_note *);
/* Of a session's row the owner alone. */
void session_load_owner(struct session *, const struct store_note *);
/* All rows of it are here: what is staged is put upon what is active. */
void session_load_done(struct session *);
/* What was staged and waited for is another's business: as if none was. */
void session_forget_staged(struct session *);

/* session_follow.c: what others changed, of sessions and tokens. */
void session_follow_begin(struct protocol *);
void session_follow_note(struct protocol *, const struct store_note *);
/* is_all: it was all that there is; what was not told of is gone. */
void session_follow_done(struct protocol *, bool is_all);

/* session_stage.c */

/* Adds a line that has been staged. 0 or -1. */
MUST_CHECK int session_add_line(struct session *, uint32_t seq,
    enum config_scope, const char *text);
void session_clear_lines(struct session *);
/*
 * Stages the lines of these scopes upon what is active.  What cannot be
 * staged without the others is left out.  0 or -1.
 */
MUST_CHECK int session_stage_scopes(const struct session *, uint32_t scopes,
    struct session_config *config_r);
/* For the store: the lines that go when the config becomes active. */
MUST_CHECK int session_add_applied_notes(const struct session *,
    const struct session_config *, uint32_t scopes, struct note_changes *);
/* The config is active now: lines that are part of it go, the others are
 * staged upon it.  Takes the config. */
void session_take_active(struct session *, struct session_config *,
    uint32_t scopes);
/* Drops all that is staged. */
void session_roll_back(struct session *);

#endif
