/*
 * registryd/bring_up.h - from the local file and the database to a model.
 *
 * At start, where there is a replica: it is loaded, and the database is
 * asked for what was changed since, so that a start costs the changes and
 * not the size of the database, and nothing old is routed by.  If the
 * database is not there, or does not answer soon, the replica is routed
 * from as it is; what was changed is followed once it answers.
 *
 *	               the database
 *	replica        answers              is away
 *	loaded         follow -> publish    publish; follow later
 *	none, no use   load all -> publish  wait; the table stands
 *
 * No use is one that is older than the table that stands (this registryd
 * follows one that died before it wrote its latest into the file), and,
 * while the database cannot be asked, one that followed another server.
 * One that is of another database, or of a later state of it than there is
 * (a backup was restored), is found out by following.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_BRING_UP_H
#define REGISTRYD_BRING_UP_H

#include <ev.h>
#include <stdbool.h>

#include "common/compat.h"
#include "registryd/store/store.h"

struct model;
struct registry;

enum bring_up_step {
	BRING_UP_NONE,			/* not begun, or without a replica */
	BRING_UP_READING,		/* the replica */
	BRING_UP_WAITING,		/* for the database */
	BRING_UP_FOLLOWING,
	BRING_UP_OVER,
};

struct bring_up {
	enum bring_up_step step;
	enum { DATABASE_UNKNOWN, DATABASE_UP, DATABASE_AWAY } database;
	struct model *model;		/* of the replica; not taken yet */
	struct store_outcome outcome;	/* of loading it */
	ev_timer patience;
	bool hears_notes;		/* sessions are the database's */
	bool is_served;			/* routed from the replica, and the
					 * database not heard since */
};

/* Begins; 0, or -1 when there is no replica to begin with. */
MUST_CHECK int bring_up_start(struct registry *);
void bring_up_stop(struct registry *);

/* The database answered, or cannot be reached.  true: that was waited for,
 * and is dealt with. */
bool bring_up_database(struct registry *, bool is_up);

#endif
