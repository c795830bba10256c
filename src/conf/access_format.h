/*
 * conf/access_format.h - the format string of a custom access log.
 *
 * Text with $variables: "$client $method $target -> $status".  ${name}
 * where a letter follows, $$ for the sign itself.  Here, below the
 * worker that fills it in, so that a fault is found when the
 * configuration is checked.  sluice.conf(5) lists the variables.
 */
/* SPDX-License-Identifier: ISC */
#ifndef CONF_ACCESS_FORMAT_H
#define CONF_ACCESS_FORMAT_H

#include <stdint.h>

#include "common/bytes.h"
#include "common/compat.h"

/* X(name in upper case, name) */
#define ACCESS_VARIABLES(X)                                                    \
	X(CLIENT, client)	   /* its address */                           \
	X(TIME, time)		   /* RFC 3339, UTC, with milliseconds */      \
	X(TIME_LOCAL, time_local)  /* 31/Jan/2026:12:00:00 +0100 */            \
	X(REQUEST_ID, request_id)                                              \
	X(REQUEST, request)	   /* method, target, protocol */              \
	X(METHOD, method)                                                      \
	X(TARGET, target)	   /* path and query as they came */           \
	X(PROTOCOL, protocol)	   /* HTTP/1.1 */                              \
	X(STATUS, status)                                                      \
	X(BYTES_IN, bytes_in)	   /* of bodies */                             \
	X(BYTES_OUT, bytes_out)                                                \
	X(ROUTE, route)                                                        \
	X(SERVICE, service)                                                    \
	X(BACKEND, backend)	   /* its id */                                \
	X(TRIES, tries)		   /* backends asked */                        \
	X(TOTAL, total)		   /* seconds, these three */                  \
	X(CONNECT, connect)                                                    \
	X(FIRST_BYTE, first_byte)                                              \
	X(REASON, reason)                                                      \
	X(HOST, host)                                                          \
	X(REFERER, referer)                                                    \
	X(USER_AGENT, user_agent)

enum access_variable {
	ACCESS_TEXT,			/* none: the piece's own text */
#define X(upper, name) ACCESS_##upper,
	ACCESS_VARIABLES(X)
#undef X
};

struct access_piece {
	enum access_variable variable;
	struct bytes text;		/* of ACCESS_TEXT; of the format */
};

/*
 * Takes the next piece off *rest_r.  Returns 1, 0 at the end, or -1 when
 * *rest_r starts with what is no variable or with a control character.
 */
MUST_CHECK int access_format_next(struct bytes *rest_r,
    struct access_piece *piece_r);

/*
 * Returns NULL when the format is good, or what is wrong, with *where_r
 * the part of it that is meant.
 */
MUST_CHECK const char *access_format_check(struct bytes format,
    struct bytes *where_r);

#endif
