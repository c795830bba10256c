/*
 * worker/access_log.c - lines gathered into blocks, and written.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "common/log.h"
#include "common/syslog_line.h"
#include "worker/access_line.h"

/* Large enough that writing costs little of a line, and small enough that
 * those who wait meanwhile do not notice. */
#define BLOCK_BYTES ((size_t)16 * 1024)

enum target { TARGET_OFF, TARGET_FD, TARGET_SYSLOG };

struct access_log {
	enum target target;
	char *path;			/* NULL: stderr or syslog */
	int fd;
	bool writes_at_once;		/* a terminal */
	bool may_block;			/* a descriptor that others share */
	bool is_mid_line;		/* the latest write ended in a line */
	bool is_failing;		/* so it is told once */
	enum access_format format;
	char *custom;			/* pieces point into it */
	struct access_piece *pieces;
	uint32_t piece_count;
	struct access_clock clock;
	uint64_t dropped_count;
	size_t used;
	char block[BLOCK_BYTES + ACCESS_LINE_MAX];
};

/* Writing ---------------------------------------------------------------- */

static uint64_t
count_lines(const char *data, size_t len)
{
	uint64_t count = 0;
	const char *end = data + len, *next;

	while ((next = memchr(data, '\n', (size_t)(end - data))) != NULL) {
		count++;
		data = next + 1;
	}
	return count;
}

/* A pipe that others share is written to only as far as it has room. */
static ssize_t
write_some(const struct access_log *log, const char *data, size_t len)
{
	struct pollfd room = { .fd = log->fd, .events = POLLOUT };

	if (!log->may_block)
		return write(log->fd, data, len);
	if (poll(&room, 1, 0) != 1) {
		errno = EAGAIN;
		return -1;
	}
	return write(log->fd, data, len < PIPE_BUF ? len : PIPE_BUF);
}

/* Writes as much as can be without waiting; returns how much that was. */
static size_t
write_block(const struct access_log *log, const char *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t wrote = write_some(log, data + done, len - done);

		if (wrote == -1 && errno == EINTR)
			continue;
		if (wrote <= 0)
			break;
		done += (size_t)wrote;
	}
	return done;
}

/* Told once a failure; never of stderr, where it would be told as well. */
static void
note_outcome(struct access_log *log, bool is_good)
{
	if (log->path != NULL && !is_good && !log->is_failing)
		log_error("access log: %s: %m; lines are dropped", log->path);
	if (log->path != NULL && is_good && log->is_failing)
		log_notice("access log: %s: written again", log->path);
	log->is_failing = !is_good;
}

/* A line that was cut off by an earlier failure gets its end first. */
static bool
end_broken_line(struct access_log *log)
{
	if (log->is_mid_line && write_block(log, "\n", 1) == 1)
		log->is_mid_line = false;
	return !log->is_mid_line;
}

void
access_log_flush(struct access_log *log)
{
	size_t done = 0;

	if (log->used == 0)
		return;
	if (end_broken_line(log))
		done = write_block(log, log->block, log->used);
	note_outcome(log, done == log->used);
	if (done < log->used) {
		log->dropped_count +=
		    count_lines(log->block + done, log->used - done);
		if (done > 0)
			log->is_mid_line = log->block[done - 1] != '\n';
	}
	log->used = 0;
}

static size_t
format_line(struct access_log *log, const struct access_record *record,
    char *out)
{
	switch (log->format) {
	case ACCESS_COMBINED:
		return access_line_combined(&log->clock, record, out);
	case ACCESS_JSON:
		return access_line_json(&log->clock, record, out);
	case ACCESS_CUSTOM:
		break;
	}
	return access_line_custom(&log->clock, record, log->pieces,
	    log->piece_count, out);
}

bool
access_log_is_on(const struct access_log *log)
{
	return log->target != TARGET_OFF;
}

void
access_log_add(struct access_log *log, const struct access_record *record)
{
	size_t len;

	if (log->target == TARGET_OFF)
		return;
	len = format_line(log, record, log->block + log->used);
	if (log->target == TARGET_SYSLOG) {
		if (syslog_line_send(LOG_INFO,
			bytes_slice(log->block, len - 1), 0) == -1)
			log->dropped_count++;
		return;
	}
	log->used += len;
	if (log->used >= BLOCK_BYTES || log->writes_at_once)
		access_log_flush(log);
}

uint64_t
access_log_dropped_count(const struct access_log *log)
{
	return log->dropped_count;
}

/* Opening ---------------------------------------------------------------- */

/* O_NONBLOCK: a fifo that nobody reads is an error, not a halt. */
static int
open_file(const char *path)
{
	int fd = open(path,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);

	if (fd == -1)
		log_error("access log: %s: %m", path);
	return fd;
}

static void
use_fd(struct access_log *log, int fd)
{
	struct stat st;

	log->target = TARGET_FD;
	log->fd = fd;
	log->writes_at_once = isatty(fd) == 1;
	log->may_block = log->path == NULL &&
	    (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode));
}

static int
open_target(struct access_log *log, const char *target)
{
	int fd;

	if (strcmp(target, "off") == 0) {
		log->target = TARGET_OFF;
		return 0;
	}
	if (strcmp(target, "syslog") == 0) {
		log->target = TARGET_SYSLOG;
		return 0;
	}
	if (strcmp(target, "stderr") == 0) {
		use_fd(log, STDERR_FILENO);
		return 0;
	}
	if ((log->path = strdup(target)) == NULL)
		return -1;
	if ((fd = open_file(target)) == -1)
		return -1;
	use_fd(log, fd);
	return 0;
}

static int
compile_custom(struct access_log *log, const char *format)
{
	struct bytes rest, where;
	const char *why;

	if ((log->custom = strdup(format)) == NULL)
		return -1;
	rest = bytes_of(log->custom);
	if ((why = access_format_check(rest, &where)) != NULL) {
		log_error("access log: log.format: '%.*s': %s",
		    BYTES_ARGS(where), why);
		errno = EINVAL;
		return -1;
	}
	log->pieces = calloc(rest.len + 1, sizeof(*log->pieces));
	if (log->pieces == NULL)
		return -1;
	while (access_format_next(&rest, &log->pieces[log->piece_count]) == 1)
		log->piece_count++;
	return 0;
}

static void
free_log(struct access_log *log)
{
	if (log->path != NULL && log->target == TARGET_FD)
		close(log->fd);
	free(log->path);
	free(log->custom);
	free(log->pieces);
	free(log);
}

int
access_log_open(const struct settings *settings, struct access_log **log_r)
{
	struct access_log *log;
	int saved_errno;

	*log_r = NULL;
	if ((log = calloc(1, sizeof(*log))) == NULL)
		return -1;
	log->format = settings->log.format;
	if (log->format == ACCESS_CUSTOM &&
	    compile_custom(log, settings->log.custom) == -1)
		goto fail;
	if (open_target(log, settings->log.access) == -1)
		goto fail;
	*log_r = log;
	return 0;
fail:
	saved_errno = errno;
	free_log(log);
	errno = saved_errno;
	return -1;
}

void
access_log_close(struct access_log **p)
{
	struct access_log *log = *p;

	*p = NULL;
	if (log == NULL)
		return;
	access_log_flush(log);
	free_log(log);
}

void
access_log_reopen(struct access_log *log)
{
	int fd;

	if (log->path == NULL)
		return;
	access_log_flush(log);
	if ((fd = open_file(log->path)) == -1)
		return;
	close(log->fd);
	log->is_mid_line = false;
	use_fd(log, fd);
}
