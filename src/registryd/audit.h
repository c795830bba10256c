/*
 * registryd/audit.h - what happens and is no change, on its way to history.
 *
 * Breakers, orders to the store, sections of the configuration file: each
 * is a row of history without a generation of its own.  Rows are collected
 * while the store is busy or away, at most AUDIT_MAX; what comes on top is
 * counted and left out, so that a fleet that fails at once does not fell
 * the store, too.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_AUDIT_H
#define REGISTRYD_AUDIT_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "registryd/store/store.h"

struct registry;
struct write;

#define AUDIT_MAX 10000

struct audit_rows {
	struct store_history *list;	/* copies */
	uint32_t count, size;
};

struct audit {
	struct audit_rows waiting, sent;
	bool is_sending;
	uint64_t lost_count;		/* since the latest that was sent */
	ev_timer again;
};

void audit_start(struct registry *);
void audit_stop(struct registry *);

/* Takes a copy; who (NULL: sluice itself), from (NULL: this instance) and
 * the time are filled in. */
void audit_tell(struct registry *, const struct store_history *event);

/* Nobody asked for the write: who, from and channel say so. */
void audit_by_itself(const struct registry *, struct write *);
const char *audit_self(const struct registry *);

#endif
