/*
 * tests/unit/master/dummy_role.c - a role that does nothing much.
 *
 * Takes the place of every role in tests of master.  As a worker it
 * answers each connection with its pid, and drains at once.  DUMMY_EXIT
 * makes the role it names leave from start with that status:
 * "registryd=78".  DUMMY_STUBBORN names one that does not drain.
 */
/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/daemon.h"
#include "ipc/inherited.h"

#define LISTENS_MAX 8

static const char *role_name;
static ev_io watchers[LISTENS_MAX];

/* The value of "ROLE=VALUE" in the environment, or NULL. */
static const char *
wish(const char *variable)
{
	const char *text = getenv(variable);
	size_t len = strlen(role_name);

	if (text == NULL || strncmp(text, role_name, len) != 0)
		return NULL;
	return text[len] == '=' ? text + len + 1 : text + len;
}

static void
answer_all(int listener)
{
	char text[64];
	int fd, len;

	while ((fd = accept(listener, NULL, NULL)) != -1) {
		len = snprintf(text, sizeof(text), "%d\n", (int)getpid());
		if (write(fd, text, (size_t)len) != len)
			log_debug("answer: %m");
		close(fd);
	}
}

static void
on_connection(struct ev_loop *loop, ev_io *watcher, int events)
{
	(void)loop;
	(void)events;
	answer_all(watcher->fd);
}

static int
start(struct daemon *daemon)
{
	const char *status = wish("DUMMY_EXIT");

	if (status != NULL)
		return atoi(status);
	if (strcmp(role_name, "worker") != 0)
		return 0;
	for (uint32_t i = 0; i < daemon->settings->listen_count &&
	    i < LISTENS_MAX; i++) {
		ev_io_init(&watchers[i], on_connection,
		    FD_LISTEN_FIRST + (int)i, EV_READ);
		ev_io_start(daemon->loop, &watchers[i]);
	}
	return 0;
}

static void
reload(struct daemon *daemon, const struct settings *old)
{
	(void)old;
	log_notice("reloaded: keepalive_timeout %lld ms",
	    (long long)daemon->settings->http.keepalive_timeout_ms);
}

static void
drain(struct daemon *daemon, struct instant deadline)
{
	(void)deadline;
	if (wish("DUMMY_STUBBORN") != NULL)
		return;
	for (size_t i = 0; i < LISTENS_MAX; i++)
		if (ev_is_active(&watchers[i])) {
			ev_io_stop(daemon->loop, &watchers[i]);
			answer_all(watchers[i].fd);
			close(watchers[i].fd);
		}
	daemon_done(daemon);
}

static int
message(struct daemon *daemon, const struct channel_message *received)
{
	(void)daemon;
	log_notice("message %u", received->type);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct daemon_role role = {
		.start = start,
		.reload = reload,
		.drain = drain,
		.message = message,
	};

	role_name = strncmp(argv[0], "sluice-", 7) == 0 ? argv[0] + 7 : argv[0];
	role.name = role_name;
	return daemon_run(&role, argc, argv);
}
