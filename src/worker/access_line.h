/*
 * worker/access_line.h - one request as a line of the access log.
 *
 * Pure: bytes in, bytes out; no I/O, no allocation.  A line ends with
 * '\n' and has no other; nothing a client sends can break out of its
 * place in it.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_ACCESS_LINE_H
#define WORKER_ACCESS_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "conf/access_format.h"
#include "worker/access_log.h"

/* Room that any combined or JSON line fits in; a custom one is cut. */
#define ACCESS_LINE_MAX ((size_t)160 * 1024)

/* The texts of the latest second; start with all zero. */
struct access_clock {
	int64_t local_s, utc_s;
	char local[32];			/* 31/Jan/2026:12:00:00 +0100 */
	char utc[32];			/* 2026-01-31T11:00:00.000Z */
};

/* Each writes a line to out, which has ACCESS_LINE_MAX bytes of room, and
 * returns its length. */
size_t access_line_combined(struct access_clock *,
    const struct access_record *, char *out);
size_t access_line_json(struct access_clock *, const struct access_record *,
    char *out);
size_t access_line_custom(struct access_clock *, const struct access_record *,
    const struct access_piece *pieces, uint32_t piece_count, char *out);

#endif
