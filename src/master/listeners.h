/*
 * master/listeners.h - the sockets that clients and operators connect to.
 *
 * master binds them and keeps them open, so that what the kernel accepted
 * for a role that died waits for its successor.  A TCP listener for
 * traffic is one SO_REUSEPORT socket a worker slot; a unix one is one
 * socket that all slots share.
 */
/* SPDX-License-Identifier: ISC */
#ifndef MASTER_LISTENERS_H
#define MASTER_LISTENERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/compat.h"
#include "conf/settings.h"

struct listener {
	char *address;			/* as written; what it is kept by */
	char *path;			/* of a unix socket; NULL: TCP */
	uint32_t slot_count;
	int *fds;			/* one a slot */
};

struct listeners {
	struct listener *list;
	uint32_t count;
};

/* What a bad listener says, and how a program that needs it ends. */
struct listen_fault {
	int status;			/* sysexits */
	char where[160];		/* "file:line", or "" */
	struct buf text;		/* "listen ADDRESS: reason" */
};

/*
 * Opens the listeners for traffic, with slots sockets each.  Where old
 * (NULL: none) has the address, its sockets are duplicated and missing
 * ones added, so that old can be closed, or kept, as a whole.  A port that
 * somebody else holds is a fault, unless has_orphans: workers that finish
 * may hold it for another moment.
 * Returns 0, or -1 with fault filled and *listeners_r empty.
 */
MUST_CHECK int listeners_open_traffic(const struct settings *, uint32_t slots,
    bool has_orphans, const struct listeners *old,
    struct listeners *listeners_r, struct listen_fault *fault);

/* Those of registryd: the admin API, then registration, without and with
 * TLS; unix sockets 0660 and of group gid. */
MUST_CHECK int listeners_open_admin(const struct settings *, gid_t gid,
    struct listeners *listeners_r, struct listen_fault *fault);

/* Before slots are closed: sends new connections to the first ones only.
 * When slots were added: to all again. */
void listeners_steer(const struct listeners *, uint32_t slots);

/* True when they are what the settings ask for, in that order. */
bool listeners_match(const struct listeners *, const struct settings *);

#define LISTENER_TEXT_SIZE 160

/* The address that it has: the port is the kernel's, where 0 was asked. */
void listener_print(const struct listener *, char text[LISTENER_TEXT_SIZE]);

/* Closes the sockets; paths stay. */
void listeners_close(struct listeners *);

/* Removes the paths of unix sockets; for a clean stop. */
void listeners_unlink(const struct listeners *);

#endif
