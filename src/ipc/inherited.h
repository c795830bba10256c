/*
 * ipc/inherited.h - the descriptors that a role finds open at exec.
 *
 * master lays them out before it execs; everything else is closed on
 * exec.  Names, so that no two files know a number.
 */
/* SPDX-License-Identifier: ISC */
#ifndef IPC_INHERITED_H
#define IPC_INHERITED_H

enum inherited_fd {
	FD_MASTER = 3,			/* channel with master, role_msg.h */
	FD_SETTINGS = 4,		/* sealed memfd: the configuration */
	FD_REGION = 5,			/* the region this role writes: routes,
					 * health, or worker.K */
	FD_LIMITS = 6,			/* the limits region, writable:
					 * workers */
	FD_FAILURES = 7,		/* eventfd: workers -> healthd */
	FD_PEER = 8,			/* registryd <-> healthd,
					 * health_msg.h */
	FD_CERTIFICATES = 9,		/* sealed memfd for TLS, where there
					 * are such listeners: registryd */
	FD_LISTEN_FIRST = 16,		/* listeners, in the order of settings;
					 * workers: listens; registryd: admin,
					 * then registration, without and
					 * with TLS */
};

/* argv of a role: PROGRAM -r K, where K is the region of worker.K (0 for
 * other roles) and, for workers, the index of its sockets. */

#endif
