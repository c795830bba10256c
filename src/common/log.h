/*
 * common/log.h - the error log, and how a program gives up.
 *
 * One log a process.  A line: time, role, pid, level, message.  %m is
 * the text of errno.  Never blocks for long, never fails: a line that
 * cannot be written is dropped and counted, and the count is written
 * with the next line that can.
 */
/* SPDX-License-Identifier: ISC */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sysexits.h>

#include "common/bytes.h"
#include "common/compat.h"

enum log_level {
	LOG_LEVEL_ERROR,		/* somebody should look at it now */
	LOG_LEVEL_WARN,			/* to be looked at some day */
	LOG_LEVEL_NOTICE,		/* the normal story of a day */
	LOG_LEVEL_INFO,			/* each change */
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_COUNT
};

/* The name above in lower case. */
const char *log_level_name(enum log_level);

/* Returns 0, or -1 if name is no level. */
MUST_CHECK int log_level_parse(struct bytes name, enum log_level *level_r);

/*
 * Starts the log.  role is borrowed for good.  target is "stderr",
 * "syslog" or a file's path (opened for appending, 0640).
 * Returns 0, or -1 with errno; the log then stays where it was (stderr
 * before the first call).
 */
MUST_CHECK int log_open(const char *role, const char *target);

/* Opens the file anew after a rotation; errno as log_open. */
MUST_CHECK int log_reopen(void);

void log_set_level(enum log_level);
enum log_level log_get_level(void);

/* Lines lost so far: disk full, broken pipe. */
uint64_t log_dropped_count(void);

void log_write(enum log_level, const char *format, ...) PRINTF_LIKE(2, 3);

#define log_error(...)	log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)	log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_notice(...) log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)	log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

/*
 * Gives up with a sysexits status, only while starting: the world is at
 * fault (fatal) - see invariant() for when we are.
 */
NORETURN void fatal(int sysexit, const char *format, ...) PRINTF_LIKE(2, 3);

/* What no input can cause.  Aborts with file and line. */
#define invariant(cond)                                                        \
	(LIKELY(cond) ? (void)0 : invariant_failed(#cond, __FILE__, __LINE__))
NORETURN void invariant_failed(const char *condition, const char *file,
    int line);

#endif
