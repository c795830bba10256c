/*
 * registryd/store/store.h - where services, backends, routes and history live.
 *
 * One interface, three drivers (store_memory.c, store_sqlite.c,
 * store_postgres.c), each a table of functions behind struct store.
 * All calls are asynchronous: they return at once, and the callback is
 * called from the loop, never from within the call, exactly once for each
 * call that returned 0.  SQLite's work is done in a thread of its own, so
 * that an fsync never stops the loop.
 *
 * A commit is one transaction, one generation, and a history row a
 * change.  Commits are carried out one by one in the order of the calls.
 *
 * Schema and queries: sql/DIALECT/.  Migrations are numbered files
 * applied at start under an advisory lock; queries are named, prepared,
 * and never pasted together.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_STORE_H
#define REGISTRYD_STORE_STORE_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/compat.h"
#include "conf/settings.h"
#include "registryd/store/instance.h"
#include "registryd/store/note.h"
#include "registryd/store/object.h"

struct store;

enum store_result {
	STORE_OK,
	STORE_UNAVAILABLE,		/* cannot be reached, or timed out; the
					 * commit did not take effect, or
					 * (connection lost in COMMIT) is
					 * unknown and reads as not done */
	STORE_CONFLICT,			/* expected_version did not match */
	STORE_FULL,			/* disk full, read-only */
	STORE_REFUSED,			/* a constraint: a defect, or by hand */
};

/* What no two databases have in common, as text; behind a "+" how often
 * something else than sluice changed it. */
#define STORE_IDENTITY_SIZE 64

struct store_outcome {
	enum store_result result;
	const char *message;		/* for people; NULL when OK */
	uint64_t generation;		/* commits: the new one */
	uint64_t row_count;		/* store_prune(): those that went */
	int64_t at_wall_ms;		/* commits: the time given to it;
					 * loads of a replica: when it was
					 * last as its database was */
	char identity[STORE_IDENTITY_SIZE]; /* loads and follows: whose */
	int64_t moment_wall_ms;		/* and when that generation was
					 * committed; 0: not known */
	uint64_t note_version;		/* loads and follows: of the notes;
					 * 0: they have none */
	bool is_unknown;		/* UNAVAILABLE: lost in COMMIT */
	uint64_t spooled_seq;		/* commits: not in the store, but
					 * kept to be played into it; 0: not
					 * so (registryd/spool.h) */
	bool is_elsewhere;		/* loads of a replica: it followed
					 * another server than it is to */
};

/* One change of a commit. */
struct store_change {
	enum object_kind kind;
	bool is_removal;
	/*
	 * The object after the change (for a removal: its key is enough),
	 * owned by the caller until the callback.  Before the callback with
	 * STORE_OK the store fills in what it gives: id where it was 0,
	 * times.version, times.updated_wall_ms and, for new objects,
	 * times.created_wall_ms.
	 */
	union {
		struct service *service;
		struct backend *backend;
		struct route *route;
	} object;
	uint64_t expected_version;	/* 0: any; else CONFLICT on another */
	/*
	 * For history.  NULL: it was not there, so the change creates it,
	 * with the id that it brings along or else with a new one; what is
	 * there already is a CONFLICT.  Otherwise what is gone is one.
	 */
	char *before_json;
};

/* Who and why, the same for every row of a commit. */
struct store_actor {
	const char *who;		/* "uid 1000", "anonymous", "sluice" */
	const char *from;		/* address, or "unix" */
	const char *channel;		/* "api", "register", "session", ... */
	const char *request_id;
	const char *cause;		/* what it is a part of ("rollback to
					 * 7"), why it came by itself; "" */
};

/* Writes the JSON of a change's object as it will be; the caller's, so that
 * the store knows no JSON of the API. malloc()ed; NULL for a removal.  Reads
 * nothing but the change: with SQLite it runs in the store's thread. */
typedef char *store_describe_fn(const struct store_change *);

typedef void store_done_fn(void *context, const struct store_outcome *);

/*
 * What PostgreSQL has not given a number to is numbered from here on: ids
 * by chance, so that two instances never give the same one; versions by the
 * order in which one instance kept its commits.  Ids stay when PostgreSQL
 * takes the object; versions become its.
 */
#define STORE_SPOOLED_FIRST (UINT64_C(1) << 51)

struct store_spooled;			/* replica.h */

/* Rows come one by one, before done; each is the callee's to keep or
 * clear. */
struct store_loader {
	void (*service)(void *context, struct service *);
	void (*backend)(void *context, struct backend *);
	void (*route)(void *context, struct route *);
	/* borrowed for the call, sessions first; NULL: not asked for */
	void (*note)(void *context, const struct store_note *);
	/* of a replica alone; borrowed for the call; NULL: not asked for */
	void (*spooled)(void *context, const struct store_spooled *);
	store_done_fn *done;		/* outcome.generation:
					 * what was loaded */
	void *context;
};

/*
 * One row of history: a change of an object, or an event, which is told of
 * only (what a breaker did, who let through what was held).  An event has
 * the latest generation, and stands behind its changes.
 */
struct store_history {
	uint64_t generation, seq;	/* seq: the order in it, from 1 */
	int64_t at_wall_ms;
	const char *who, *from, *channel, *request_id;
	const char *kind;		/* object_kind_name(), "store" or
					 * "certificate" */
	const char *key;		/* name or id */
	const char *action;		/* "create", "update", "delete"; of an
					 * event another word */
	const char *before_json, *after_json; /* NULL: none */
	const char *cause;		/* as of struct store_actor */
};

bool store_history_is_event(const struct store_history *);

typedef void store_history_fn(void *context, const struct store_history *);

/* For /readyz, /api/health/db, /api/metrics/db, /metrics. */
struct store_figures {
	enum store_driver driver;
	bool is_up;
	char error[256];		/* of the latest failure; "" when up */
	uint32_t pool_size, open, idle, in_use, waiting;
	uint64_t query_count, query_failed_count, query_us_sum;
	uint64_t connect_count;
	uint32_t schema_version;
	bool is_listening;		/* news are heard at once */
	uint64_t set_aside_count;	/* replicas that could not be read */
};

/*
 * Makes a store of the settings' driver; nothing is opened yet.  Returns
 * 0, or -1 with *error_r a sentence in static memory ("postgres: not built
 * in; configure --with-postgresql").
 */
MUST_CHECK int store_new(struct ev_loop *, const struct settings *,
    struct store **store_r, const char **error_r);
/* Nobody is called back any more.  Not from within a callback. */
void store_free(struct store **);

/*
 * Opens and migrates; done when the store can be used.  A server that
 * cannot be reached is not final: done says STORE_UNAVAILABLE and the store
 * goes on trying with growing, jittered pauses; each change of is_up calls
 * back on_up.
 */
MUST_CHECK int store_open(struct store *, store_done_fn *, void *context);
typedef void store_up_fn(void *context, bool is_up);
void store_set_on_up(struct store *, store_up_fn *, void *context);

/* All objects of one moment. */
MUST_CHECK int store_load(struct store *, const struct store_loader *);

/*
 * What was changed after a generation, of one moment: what is there, and
 * the keys of what was removed, some of which may have come back.
 * outcome.generation is that of the moment.  CONFLICT: it is too much, or
 * not of this history: load all.  Only where store_can_follow().
 */
struct store_follow_query {
	uint64_t since;
	/* CONFLICT unless it is this database's; "": any. */
	char identity[STORE_IDENTITY_SIZE];
	/* CONFLICT unless since was committed then: a server that took the
	 * place of another may have lost the latest commits, and have others
	 * by the same numbers.  0: not known. */
	int64_t since_wall_ms;
	/* A note that is not NULL is told all notes there are. */
	struct store_loader loader;
	/*
	 * Sessions, what they have active, tokens, and what is gone of
	 * them, changed after that version; 0: all that are there.
	 */
	uint64_t note_since;
	void (*note_news)(void *context, const struct store_note *);
	/* The key is borrowed. */
	void (*gone)(void *context, enum object_kind, const char *key);
	/* How long the oldest of it had been there; before done. */
	void (*age)(void *context, int64_t age_ms);
};
MUST_CHECK int store_follow(struct store *, const struct store_follow_query *);
bool store_can_follow(const struct store *);
/* Whether two identities are of one database, whatever it holds now. */
bool store_is_same_database(const char *identity, const char *other);

/*
 * Somebody changed something: generation, or 0 where it is not known (the
 * store can be heard again, and something may have been missed).
 */
typedef void store_news_fn(void *context, uint64_t generation);
void store_set_on_news(struct store *, store_news_fn *, void *context);

/*
 * Those that share the store; all of this only where store_can_follow().
 *
 * Puts the row of an instance.  CONFLICT: another run has the name, and
 * takes_over is not set.  is_news: the others are told, by on_instances;
 * somebody had asked for that, or it is the first time.
 */
struct store_instance_put {
	struct store_instance instance;	/* texts borrowed until done */
	int64_t good_ms;		/* it is stale after that */
	bool takes_over, is_news;
};
MUST_CHECK int store_put_instance(struct store *,
    const struct store_instance_put *, store_done_fn *, void *context);
/* Only if it is that run's still; the others are told. */
MUST_CHECK int store_remove_instance(struct store *,
    const struct store_instance *, store_done_fn *, void *context);
/* By name; the stale, too. */
struct store_instance_query {
	void (*row)(void *context, const struct store_instance *);
	store_done_fn *done;
	void *context;
};
MUST_CHECK int store_list_instances(struct store *,
    const struct store_instance_query *);
/* Asks all, by on_wanted, to tell when they show a generation. */
MUST_CHECK int store_want_instances(struct store *, uint64_t generation,
    store_done_fn *, void *context);
/* on_instances: an instance told that it shows that generation, or took its
 * row away; 0: may have, as with on_news. */
void store_set_on_instances(struct store *, store_news_fn *on_instances,
    store_news_fn *on_wanted, void *context);

/* One transaction.  Arrays and actor are borrowed until the callback. */
struct store_commit {
	struct store_change *changes;
	uint32_t change_count;
	const struct note_changes *notes; /* in the same transaction; or NULL */
	struct store_actor actor;
	store_describe_fn *describe;
	/* CONFLICT unless this is the latest generation; 0: any. */
	uint64_t expected_generation;
	/*
	 * Of a commit that was kept while PostgreSQL was away; NULL: of none.
	 * It is recorded in the transaction: a commit of an id that is there
	 * is not made again, and answered as it was then.
	 */
	const char *spool_id;
	store_done_fn *done;
	void *context;
};
MUST_CHECK int store_commit(struct store *, const struct store_commit *);

/* Changes of notes alone: one transaction, no generation; in order with
 * commits.  The changes are borrowed until the callback. */
MUST_CHECK int store_write_notes(struct store *, const struct note_changes *,
    store_done_fn *, void *context);

/* All notes of a session, the session first; only where
 * store_can_follow().  The key is borrowed until done. */
struct store_note_query {
	const char *key;
	void (*note)(void *context, const struct store_note *);
	store_done_fn *done;
	void *context;
};
MUST_CHECK int store_read_notes(struct store *,
    const struct store_note_query *);

/*
 * History with from < generation <= to, oldest first, at most limit rows;
 * only of one object when key is not NULL.  A page that ends inside a
 * generation: from_seq is the last row of generation from that was seen,
 * to_seq the last row of generation to that is wanted; 0: all of it.
 * outcome.generation is the horizon: what came after that generation is
 * all there, what came before may have been removed.
 */
struct store_history_query {
	bool is_whole;			/* whatever from is: from the first */
	uint64_t from, to;
	uint64_t from_seq, to_seq;
	uint32_t limit;
	const char *kind;		/* static; NULL: all */
	const char *key;		/* NULL: all */
	bool newest_first;
	store_history_fn *row;
	store_done_fn *done;
	void *context;
};
MUST_CHECK int store_history(struct store *,
    const struct store_history_query *);

/* Rows of history that are no changes; generation and seq are given by the
 * store.  One transaction.  Borrowed until the callback. */
struct store_events {
	const struct store_history *list;
	uint32_t count;
};
MUST_CHECK int store_tell(struct store *, const struct store_events *,
    store_done_fn *, void *context);

/* How much history there is; *extent_r is filled before the callback. */
struct store_extent {
	uint64_t row_count;
	int64_t oldest_wall_ms;		/* 0: there is none */
};
MUST_CHECK int store_measure_history(struct store *,
    struct store_extent *extent_r, store_done_fn *, void *context);

/*
 * Removes the oldest rows of history, of the first limit ones: those of
 * before a time, and as many as are too many; none of after the floor.
 * What is removed moves the horizon, for good.  One transaction;
 * outcome.row_count says how many went.  Where another instance is doing
 * the same, that is none.
 */
struct store_prune_order {
	int64_t older_than_wall_ms;
	uint64_t excess;
	uint64_t floor;			/* a generation */
	uint32_t limit;
	store_done_fn *done;
	void *context;
};
MUST_CHECK int store_prune(struct store *, const struct store_prune_order *);

/* A round trip: SELECT 1. */
MUST_CHECK int store_ping(struct store *, store_done_fn *, void *context);

void store_figures(const struct store *, struct store_figures *figures_r);

#endif
