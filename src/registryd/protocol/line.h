/*
 * registryd/protocol/line.h - one line of the registration protocol.
 *
 * Pure.  Every command is a row: its word, how many fields must and may
 * follow, and whether the last one runs to the end of the line.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_PROTOCOL_LINE_H
#define REGISTRYD_PROTOCOL_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/compat.h"

#define LINE_MAX_BYTES 65536		/* without its end */
#define LINE_FIELDS_MAX 6

/* Which part of CONFIG_APPLY_PARTIAL a staging command belongs to. */
enum config_scope {
	SCOPE_ROUTES,
	SCOPE_HEADERS,
	SCOPE_OPTIONS,
	SCOPE_HEALTH,
	SCOPE_RATELIMIT,
	SCOPE_CIRCUIT,
	SCOPE_COUNT,
	SCOPE_NONE = SCOPE_COUNT,	/* stages nothing */
};

#define SCOPES_ALL ((1u << SCOPE_COUNT) - 1)

/* X(id, word, fields at least, at most, last takes the rest, scope) */
#define PROTOCOL_COMMANDS(X)                                                   \
	X(REGISTER, "REGISTER", 3, 4, true, SCOPE_NONE)                        \
	X(RECONNECT, "RECONNECT", 1, 1, false, SCOPE_NONE)                     \
	X(PING, "PING", 1, 1, false, SCOPE_NONE)                               \
	X(SESSION_INFO, "SESSION_INFO", 1, 1, false, SCOPE_NONE)               \
	X(CLIENT_SHUTDOWN, "CLIENT_SHUTDOWN", 1, 1, false, SCOPE_NONE)         \
	X(ROUTE_ADD, "ROUTE_ADD", 5, 5, false, SCOPE_ROUTES)                   \
	X(ROUTE_ADD_BULK, "ROUTE_ADD_BULK", 2, 2, true, SCOPE_ROUTES)          \
	X(ROUTE_UPDATE, "ROUTE_UPDATE", 4, 4, false, SCOPE_ROUTES)             \
	X(ROUTE_REMOVE, "ROUTE_REMOVE", 2, 2, false, SCOPE_ROUTES)             \
	X(ROUTE_LIST, "ROUTE_LIST", 1, 1, false, SCOPE_NONE)                   \
	X(HEADERS_SET, "HEADERS_SET", 4, 4, false, SCOPE_HEADERS)              \
	X(HEADERS_REMOVE, "HEADERS_REMOVE", 3, 3, false, SCOPE_HEADERS)        \
	X(OPTIONS_SET, "OPTIONS_SET", 4, 4, false, SCOPE_OPTIONS)              \
	X(OPTIONS_REMOVE, "OPTIONS_REMOVE", 3, 3, false, SCOPE_OPTIONS)        \
	X(HEALTH_SET, "HEALTH_SET", 5, 5, false, SCOPE_HEALTH)                 \
	X(RATELIMIT_SET, "RATELIMIT_SET", 4, 4, false, SCOPE_RATELIMIT)        \
	X(CIRCUIT_SET, "CIRCUIT_BREAKER_SET", 5, 5, false, SCOPE_CIRCUIT)      \
	X(CIRCUIT_STATUS, "CIRCUIT_BREAKER_STATUS", 2, 2, false, SCOPE_NONE)   \
	X(CIRCUIT_RESET, "CIRCUIT_BREAKER_RESET", 2, 2, false, SCOPE_NONE)     \
	X(CONFIG_VALIDATE, "CONFIG_VALIDATE", 1, 1, false, SCOPE_NONE)         \
	X(CONFIG_APPLY, "CONFIG_APPLY", 1, 1, false, SCOPE_NONE)               \
	X(CONFIG_APPLY_PARTIAL, "CONFIG_APPLY_PARTIAL", 2, 2, false,           \
	    SCOPE_NONE)                                                        \
	X(CONFIG_ROLLBACK, "CONFIG_ROLLBACK", 1, 1, false, SCOPE_NONE)         \
	X(CONFIG_DIFF, "CONFIG_DIFF", 1, 1, false, SCOPE_NONE)                 \
	X(STATS_GET, "STATS_GET", 1, 2, false, SCOPE_NONE)                     \
	X(BACKEND_TEST, "BACKEND_TEST", 2, 2, false, SCOPE_NONE)               \
	X(DRAIN_START, "DRAIN_START", 2, 2, false, SCOPE_NONE)                 \
	X(DRAIN_STATUS, "DRAIN_STATUS", 1, 1, false, SCOPE_NONE)               \
	X(DRAIN_CANCEL, "DRAIN_CANCEL", 1, 1, false, SCOPE_NONE)               \
	X(MAINT_ENTER, "MAINT_ENTER", 3, 3, false, SCOPE_NONE)                 \
	X(MAINT_EXIT, "MAINT_EXIT", 2, 2, false, SCOPE_NONE)                   \
	X(MAINT_STATUS, "MAINT_STATUS", 1, 1, false, SCOPE_NONE)               \
	X(SUBSCRIBE, "SUBSCRIBE", 2, 2, false, SCOPE_NONE)                     \
	X(UNSUBSCRIBE, "UNSUBSCRIBE", 2, 2, false, SCOPE_NONE)                 \
	X(ACK, "ACK", 0, 0, false, SCOPE_NONE)

enum protocol_command {
#define X(id, word, least, most, rest, scope) COMMAND_##id,
	PROTOCOL_COMMANDS(X)
#undef X
	COMMAND_COUNT
};

enum line_result {
	LINE_GOOD,
	LINE_EMPTY,			/* to be ignored */
	LINE_UNKNOWN,			/* no such command; word is set */
	LINE_FORMAT,			/* too few fields, or too many */
};

struct protocol_line {
	enum protocol_command command;	/* LINE_GOOD and LINE_FORMAT */
	struct bytes word;
	struct bytes fields[LINE_FIELDS_MAX]; /* behind the word; slices of the
					       * text; absent ones empty */
	uint32_t field_count;
};

/* Reads a line without its "\n"; a "\r" at its end is dropped. */
enum line_result line_parse(struct bytes text, struct protocol_line *line_r);

const char *command_word(enum protocol_command);
enum config_scope command_scope(enum protocol_command);

/* "routes", "headers", ...; 0 or -1. */
MUST_CHECK int scope_parse(struct bytes word, enum config_scope *scope_r);

/* What stands at the start of a buffer. */
enum frame_result {
	FRAME_MORE,			/* no whole line yet */
	FRAME_LINE,
	FRAME_TOO_LONG,
};

/*
 * Finds the first line of data.  *scanned is where to go on looking (0 at
 * first, and again behind each line); *line_r and *used_r are set with
 * FRAME_LINE.
 */
enum frame_result line_frame(struct bytes data, size_t *scanned,
    struct bytes *line_r, size_t *used_r);

#endif
