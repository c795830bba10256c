/*
 * registryd/problem.h - why a request was not carried out.
 *
 * Made where it is found, carried to whoever answers: as problem+json by
 * the admin API, as one line by other front ends.
 *
 * Source: RFC 9457.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_PROBLEM_H
#define REGISTRYD_PROBLEM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/compat.h"

struct problem {
	unsigned int status;		/* of HTTP; 0: no problem */
	const char *word;		/* stable and short: "route_conflict" */
	char pointer[128];		/* JSON pointer to the bad member; "" */
	char detail[512];		/* a sentence */
	/* route_conflict: who has the path */
	char owner[256];		/* service; "" */
	uint64_t owner_route;
};

/* Fills *problem; returns -1, for "return problem_set(...)".  pointer may
 * be NULL. */
int problem_set(struct problem *, unsigned int status, const char *word,
    const char *pointer, const char *format, ...) PRINTF_LIKE(5, 6);

/* 422 with a pointer. */
int problem_invalid(struct problem *, const char *pointer, const char *format,
    ...) PRINTF_LIKE(3, 4);

/* Puts what leads to the member before its pointer: "/health" + "/path". */
void problem_prefix_pointer(struct problem *, const char *prefix);

/* Appends the problem as JSON. */
void problem_write(const struct problem *, struct buf *);

#endif
