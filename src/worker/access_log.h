/*
 * worker/access_log.h - a line for each request: combined, JSON or custom.
 *
 * Lines are formatted into a buffer and written in blocks: when it is
 * full, when access_log_flush() is called (once a second, and at the
 * end), or when it is told to write at once (a terminal).  A line that
 * cannot be written is dropped and counted, never waited for.
 *
 * Escaping: control characters, quotes, backslashes and bytes over 0x7e
 * as \xHH (combined, custom) or as JSON does.  Authorization and Cookie
 * can not be named in a format.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_ACCESS_LOG_H
#define WORKER_ACCESS_LOG_H

#include <stdint.h>

#include "common/bytes.h"
#include "common/compat.h"
#include "conf/settings.h"

struct access_log;

/* All that a line may tell; borrowed for the call. */
struct access_record {
	int64_t started_wall_ms;
	struct bytes request_id, client; /* client: its address as text */
	struct bytes method, target, host, referer, user_agent;
	uint8_t minor_version;
	unsigned int status;		/* 499: the client left */
	uint64_t bytes_in, bytes_out;	/* out: of the body; in: of the body */
	struct bytes route, service;	/* labels; empty: none */
	uint64_t backend_id;		/* 0: none */
	uint32_t tries;			/* backends asked */
	int64_t total_us, connect_us, first_byte_us; /* -1: never came to it */
	const char *reason;		/* stable word; NULL: the backend's
					 * own answer */
};

/*
 * Opens the log as settings->log says; "off" gives a log that drops all
 * silently.  Returns 0, or -1 with errno (file), logged.
 */
MUST_CHECK int access_log_open(const struct settings *,
    struct access_log **log_r);
void access_log_close(struct access_log **); /* flushes */

/* Opens the file anew (rotation); keeps the old one when it cannot. */
void access_log_reopen(struct access_log *);

/* False: what is added goes nowhere, and need not be put together. */
bool access_log_is_on(const struct access_log *);

void access_log_add(struct access_log *, const struct access_record *);
void access_log_flush(struct access_log *);

/* Lines lost since it was opened. */
uint64_t access_log_dropped_count(const struct access_log *);

#endif
