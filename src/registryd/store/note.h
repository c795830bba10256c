/*
 * registryd/store/note.h - what is kept but makes no generation.
 *
 * Sessions of the registration protocol, what they have active and
 * staged, tokens: texts under a kind, a key and a number.  History does
 * not show them; instances that share the store follow sessions, what they
 * have active, and tokens.  A commit may carry changes of notes along,
 * which then happen in its transaction.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_NOTE_H
#define REGISTRYD_STORE_NOTE_H

#include <stdint.h>

#include "common/compat.h"

enum note_kind {
	NOTE_SESSION,			/* key: session_key() of its id */
	NOTE_ACTIVE,			/* what it has applied: lines */
	NOTE_STAGED,			/* seq: its staged lines in order */
	NOTE_TOKEN,			/* key: the token's id */
	NOTE_WAITING,			/* seq: what a session's MAINT_OK
					 * waits for, one by one */
	NOTE_CONDITION,			/* of a static object; key:
					 * static_orders.h */
	NOTE_GONE,			/* when following: the key of a session
					 * or a token; body: its kind */
};

struct store_note {
	enum note_kind kind;
	const char *key, *body;		/* borrowed */
	uint32_t seq;
};

enum note_op {
	NOTE_PUT,			/* in place of the one there */
	NOTE_REMOVE,
	NOTE_REMOVE_ALL,		/* of this kind and key */
	NOTE_HOLD,			/* changes nothing: CONFLICT unless
					 * body is the owner of the session;
					 * only where store_can_follow() */
};

struct note_change {
	enum note_op op;
	enum note_kind kind;
	uint32_t seq;
	char *key, *body;		/* owned by the list */
};

/* Changes in order; a zeroed one is empty. */
struct note_changes {
	struct note_change *list;
	uint32_t count, size;
};

/* Adds a change with copies of key and body (NULL: none).  0, or -1 when
 * out of memory. */
MUST_CHECK int note_changes_add(struct note_changes *, enum note_op,
    enum note_kind, const char *key, uint32_t seq, const char *body);
/* Adds copies of all of from.  0 or -1. */
MUST_CHECK int note_changes_copy(struct note_changes *to,
    const struct note_changes *from);
/* Room for so many more.  0 or -1. */
MUST_CHECK int note_changes_reserve(struct note_changes *, uint32_t more);
/* Moves all of from behind those of to.  0, or -1 and nothing moved. */
MUST_CHECK int note_changes_move(struct note_changes *to,
    struct note_changes *from);
void note_changes_clear(struct note_changes *);

/* "session", ... */
const char *note_kind_name(enum note_kind);
MUST_CHECK int note_kind_parse(const char *, enum note_kind *kind_r);

#endif
