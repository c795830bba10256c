/*
 * tests/unit/registryd/role.h - a whole registryd, in a child of the test.
 *
 * On a segment of its own and the memory store, with one admin listener;
 * the test is its master and its healthd.
 */
/* SPDX-License-Identifier: ISC */
#ifndef TESTS_REGISTRYD_ROLE_H
#define TESTS_REGISTRYD_ROLE_H

#include <sys/types.h>

#include "registryd/registry.h"
#include "shm/fixture.h"

struct role {
	struct fixture fixture;
	pid_t pid;
	int master, healthd;		/* our ends of its channels */
	uint16_t port;
};

void role_start(struct role *);
/* Ends it as master does; fails the test unless it leaves cleanly. */
void role_stop(struct role *);

struct role_answer {
	unsigned int status;
	char *head;			/* NUL-terminated, free()d by caller */
	char *body;			/* in head's memory */
};

/* Sends bytes on a new connection; the answer is what comes until it is
 * closed. */
struct role_answer role_ask(struct role *, const char *request);

/* The same of a method, path, extra field lines and body. */
struct role_answer role_call(struct role *, const char *method,
    const char *path, const char *fields, const char *body);

/* Sends bytes, half-closes, and gives all that comes back. */
char *role_talk(struct role *, const char *bytes);

#endif
