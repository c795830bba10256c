/*
 * registryd/store/change.h - a change of a commit as SQL statements.
 *
 * The same statements, in the same order, for both SQL dialects.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_CHANGE_H
#define REGISTRYD_STORE_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "registryd/store/cells.h"
#include "registryd/store/queries.h"
#include "registryd/store/request.h"

/* "create", "update" or "delete". */
const char *change_action(const struct store_change *);
bool change_is_creation(const struct store_change *);

/* 0 for services. */
uint64_t change_id(const struct store_change *);

#define CHANGE_KEY_SIZE 24
/* The service's name, or the id written into buf. */
const char *change_key(const struct store_change *, char buf[CHANGE_KEY_SIZE]);

/* How many ids of that kind a commit needs, and the highest that it
 * brings along (an object that comes back keeps its id). */
struct change_ids {
	uint32_t count;
	uint64_t highest;
};

struct change_ids change_ids_needed(const struct store_commit *,
    enum object_kind);

/* What the store gives a commit. */
struct commit_stamp {
	uint64_t generation;
	int64_t at_wall_ms;
	uint64_t next_backend_id, next_route_id;
};

/* Whether no commit came between, where the commit asks for that. */
bool change_is_expected(const struct store_commit *,
    const struct commit_stamp *);

/* Fails the request because one did. */
void change_fail_generation(struct store_request *);

/* Fills id and times in, from the stamp, which moves on. */
void change_stamp(struct store_change *, struct commit_stamp *);

/* What the caller's objects were before, for a commit that fails. */
struct change_backup;
MUST_CHECK int change_backup_new(const struct store_commit *,
    struct change_backup **backup_r);
/* Puts ids and times back as they were. */
void change_backup_restore(const struct change_backup *,
    const struct store_commit *);
void change_backup_free(struct change_backup **);

#define PLAN_STATEMENTS_MAX 4

struct statement {
	enum store_query query;
	uint32_t cell_count;
	struct cell cells[CELLS_MAX];
};

struct change_plan {
	struct statement statements[PLAN_STATEMENTS_MAX];
	uint32_t count;
	struct object_texts texts;
	char key[CHANGE_KEY_SIZE];
	char *after_json;
};

/*
 * Makes the statements of change number seq (from 1) of a commit, which
 * was stamped.  They borrow from the change and the plan, until the plan
 * is made again.  0, or -1 when out of memory.
 */
MUST_CHECK int change_plan_make(struct change_plan *,
    const struct store_commit *, uint32_t seq,
    const struct commit_stamp *);
void change_plan_free(struct change_plan *);

/* The statement of a change of notes, which borrows from it. */
void note_change_statement(const struct note_change *,
    struct statement *statement_r);

/* The statement of an event, which borrows from it. */
void event_statement(const struct store_history *,
    struct statement *statement_r);

/* Fails the request with the conflict's sentence. */
void change_fail_conflict(struct store_request *,
    const struct store_change *);

#endif
