/*
 * common/syslog_line.c - lines for the syslog daemon, which may be stuck.
 */
/* SPDX-License-Identifier: ISC */
#include "common/syslog_line.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

/* Of both that follow: a store's thread has something to say as well. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int daemon_fd = -1;
static bool is_stuck;			/* the latest line found no room */

static int
connect_to_daemon(void)
{
	static const struct sockaddr_un address = { .sun_family = AF_UNIX,
		.sun_path = "/dev/log" };

	daemon_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	if (daemon_fd == -1)
		return -1;
	return connect(daemon_fd, (const struct sockaddr *)&address,
	    sizeof(address));
}

static void
leave_daemon(void)
{
	int saved_errno = errno;

	if (daemon_fd != -1)
		close(daemon_fd);
	daemon_fd = -1;
	errno = saved_errno;
}

/* "<30>Nov 21 17:13:20 sluice[4711]: ": what all daemons read. */
static struct bytes
write_head(int severity, char *head, size_t size)
{
	char stamp[32];
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%b %e %T", &tm);
	return bytes_slice(head, (size_t)snprintf(head, size,
	    "<%d>%s sluice[%d]: ", LOG_DAEMON | severity, stamp,
	    (int)getpid()));
}

static int
send_parts(struct bytes head, struct bytes line)
{
	struct iovec parts[] = {
		{ (void *)(uintptr_t)head.data, head.len },
		{ (void *)(uintptr_t)line.data, line.len },
	};
	const struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	if (daemon_fd == -1 && connect_to_daemon() == -1) {
		leave_daemon();
		return -1;
	}
	return sendmsg(daemon_fd, &message, MSG_NOSIGNAL) == -1 ? -1 : 0;
}

/* Room for one more, in time? */
static bool
await_room(int patience_ms)
{
	struct pollfd room = { .fd = daemon_fd, .events = POLLOUT };

	return !is_stuck && patience_ms > 0 &&
	    poll(&room, 1, patience_ms) == 1;
}

static int
send_line(struct bytes head, struct bytes line, int patience_ms)
{
	int result = send_parts(head, line);

	if (result == -1 && errno != EAGAIN && errno != EMSGSIZE) {
		/* It was restarted, or is not there yet. */
		leave_daemon();
		result = send_parts(head, line);
	}
	if (result == -1 && errno == EAGAIN && await_room(patience_ms))
		result = send_parts(head, line);
	is_stuck = result == -1;
	return result;
}

int
syslog_line_send(int severity, struct bytes line, int patience_ms)
{
	char text[96];
	struct bytes head = write_head(severity, text, sizeof(text));
	int result;

	pthread_mutex_lock(&mutex);
	result = send_line(head, line, patience_ms);
	pthread_mutex_unlock(&mutex);
	return result;
}
