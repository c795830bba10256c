/*
 * common/log.c - the error log, and how a program gives up.
 */
/* SPDX-License-Identifier: ISC */
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/syslog_line.h"

#define LOG_LINE_MAX	   4096
#define SYSLOG_PATIENCE_MS 100

static const char *const level_names[LOG_LEVEL_COUNT] = {
	[LOG_LEVEL_ERROR] = "error",   [LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_NOTICE] = "notice", [LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

static struct {
	const char *role;
	char *path;			/* NULL: stderr or syslog */
	int fd;
	bool is_syslog;
	enum log_level level;
	uint64_t dropped_count;
	uint64_t reported_count;	/* of the dropped */
} state = { .role = "sluice", .fd = STDERR_FILENO, .level = LOG_LEVEL_NOTICE };

const char *
log_level_name(enum log_level level)
{
	return level_names[level];
}

int
log_level_parse(struct bytes name, enum log_level *level_r)
{
	for (int i = 0; i < LOG_LEVEL_COUNT; i++) {
		if (bytes_is(name, level_names[i])) {
			*level_r = (enum log_level)i;
			return 0;
		}
	}
	return -1;
}

static int
open_file(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

/* Points the log at a target that is known to be good. */
static void
use_target(int fd, char *path, bool is_syslog)
{
	if (state.path != NULL)
		close(state.fd);
	free(state.path);
	state.fd = fd;
	state.path = path;
	state.is_syslog = is_syslog;
}

int
log_open(const char *role, const char *target)
{
	char *path;
	int fd;

	state.role = role;
	if (strcmp(target, "stderr") == 0) {
		use_target(STDERR_FILENO, NULL, false);
		return 0;
	}
	if (strcmp(target, "syslog") == 0) {
		use_target(STDERR_FILENO, NULL, true);
		return 0;
	}
	if ((path = strdup(target)) == NULL)
		return -1;
	if ((fd = open_file(path)) == -1) {
		free(path);
		return -1;
	}
	use_target(fd, path, false);
	return 0;
}

int
log_reopen(void)
{
	int fd;

	if (state.path == NULL)
		return 0;
	if ((fd = open_file(state.path)) == -1)
		return -1;
	close(state.fd);
	state.fd = fd;
	return 0;
}

void
log_set_level(enum log_level level)
{
	state.level = level;
}

enum log_level
log_get_level(void)
{
	return state.level;
}

uint64_t
log_dropped_count(void)
{
	return state.dropped_count;
}

static void
write_syslog(enum log_level level, const char *message)
{
	static const int priorities[LOG_LEVEL_COUNT] = {
		[LOG_LEVEL_ERROR] = LOG_ERR,	 [LOG_LEVEL_WARN] = LOG_WARNING,
		[LOG_LEVEL_NOTICE] = LOG_NOTICE, [LOG_LEVEL_INFO] = LOG_INFO,
		[LOG_LEVEL_DEBUG] = LOG_DEBUG,
	};
	char line[LOG_LINE_MAX + 128];
	int len = snprintf(line, sizeof(line), "%s: %s", state.role, message);

	if (syslog_line_send(priorities[level],
		bytes_slice(line, (size_t)len), SYSLOG_PATIENCE_MS) == -1)
		state.dropped_count++;
}

/* A message quotes input, so what would break the line is made visible. */
static void
escape_controls(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

static void
write_fd(enum log_level level, const char *message)
{
	char stamp[CLOCK_RFC3339_SIZE], line[LOG_LINE_MAX + 128];
	int len;

	clock_format_rfc3339(clock_wall_ms(), stamp);
	len = snprintf(line, sizeof(line), "%s %s[%d] %s: %s\n", stamp,
	    state.role, (int)getpid(), level_names[level], message);
	if (write(state.fd, line, (size_t)len) != len)
		state.dropped_count++;
}

static void
write_line(enum log_level level, const char *message)
{
	if (state.is_syslog)
		write_syslog(level, message);
	else
		write_fd(level, message);
}

static PRINTF_LIKE(2, 0) void
write_message(enum log_level level, const char *format, va_list args)
{
	char message[LOG_LINE_MAX];

	vsnprintf(message, sizeof(message), format, args);
	escape_controls(message);
	write_line(level, message);
}

void
log_write(enum log_level level, const char *format, ...)
{
	int saved_errno = errno;
	va_list args;

	if (level > state.level)
		return;
	va_start(args, format);
	write_message(level, format, args);
	va_end(args);

	if (state.dropped_count != state.reported_count) {
		uint64_t lost = state.dropped_count;
		char message[64];

		snprintf(message, sizeof(message),
		    "log: %" PRIu64 " lines could not be written",
		    lost - state.reported_count);
		write_line(LOG_LEVEL_WARN, message);
		if (state.dropped_count == lost)
			state.reported_count = lost;
		else
			state.dropped_count = lost;
	}
	errno = saved_errno;
}

void
fatal(int sysexit, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_message(LOG_LEVEL_ERROR, format, args);
	va_end(args);
	exit(sysexit);
}

void
invariant_failed(const char *condition, const char *file, int line)
{
	log_error("invariant: %s, at %s:%d", condition, file, line);
	abort();
}
