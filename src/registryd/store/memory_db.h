/*
 * registryd/store/memory_db.h - services, backends, routes in plain memory.
 *
 * Keeps what the SQL schemas keep: keys, versions, generations, history,
 * and that nothing may name a service that is not there.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_MEMORY_DB_H
#define REGISTRYD_STORE_MEMORY_DB_H

#include "registryd/store/request.h"

struct memory_object {
	enum object_kind kind;
	uint32_t reference_count;	/* a service: who names it */
	union {
		struct service service;
		struct backend backend;
		struct route route;
	} body;
};

/* Sorted by key. */
struct memory_table {
	struct memory_object **objects;
	size_t count, size;
};

#define MEMORY_KINDS (OBJECT_ROUTE + 1)

struct memory_db {
	struct memory_table tables[MEMORY_KINDS];
	struct store_history *history;	/* oldest first */
	size_t history_count, history_size;
	uint64_t horizon;		/* what came after is in history */
	struct note_changes notes;	/* NOTE_PUT each, in no order */
	uint64_t generation, last_backend_id, last_route_id;
};

void memory_db_clear(struct memory_db *);

/* Each sets the outcome; rows are handed out at once. */
void memory_db_load(const struct memory_db *, struct store_request *);
void memory_db_write_notes(struct memory_db *, struct store_request *);
void memory_db_commit(struct memory_db *, struct store_request *);

/* memory_history.c: the same. */
void memory_db_history(const struct memory_db *, struct store_request *);
void memory_db_tell(struct memory_db *, struct store_request *);
void memory_db_measure(const struct memory_db *, struct store_request *);
void memory_db_prune(struct memory_db *, struct store_request *);
/* Appends a copy; 0, or -1 when out of memory. */
MUST_CHECK int memory_history_add(struct memory_db *,
    const struct store_history *);
/* Drops the latest rows, until so many are left. */
void memory_history_cut(struct memory_db *, size_t count);

/* memory_note.c: all of the changes, or (-1: out of memory) none. */
MUST_CHECK int memory_notes_apply(struct memory_db *,
    const struct note_changes *);

/* memory_table.c: */
union memory_key {
	uint64_t id;
	const char *name;		/* of a service */
};

union memory_key memory_object_key(const struct memory_object *);
struct memory_object *memory_object_copy(const struct store_change *);
void memory_object_free(struct memory_object **);
uint64_t memory_object_version(const struct memory_object *);

struct memory_object *memory_table_find(const struct memory_db *,
    enum object_kind, union memory_key);
/* Room for one more object; 0 or -1. */
MUST_CHECK int memory_table_reserve(struct memory_db *, enum object_kind);
/* Takes an object out and puts another in its place; either may be NULL,
 * not both.  Owns neither; cannot fail after memory_table_reserve(). */
void memory_table_swap(struct memory_db *, struct memory_object *out,
    struct memory_object *in);

#endif
