/*
 * tests/unit/registryd/role.c - a whole registryd, in a child of the test.
 */
/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/settings_fd.h"
#include "ipc/inherited.h"
#include "role.h"

static int
listen_on_loopback(uint16_t *port_r)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd == -1 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(fd, 16) == -1 ||
	    getsockname(fd, (struct sockaddr *)&addr, &len) == -1)
		err(1, "listen");
	*port_r = ntohs(addr.sin_port);
	return fd;
}

static int
make_settings(const struct role *role)
{
	char routes[32];
	const struct setting_override overrides[] = {
		{ "store.driver", "memory" },
		{ "instance", strrchr(role->fixture.dir, '.') + 1 },
		{ "log.level", "error" },
		{ "segment.routes", routes },
	};
	struct settings *settings;
	struct buf errors = { 0 };
	int fd;

	snprintf(routes, sizeof(routes), "%u", role->fixture.capacity.routes);
	if (settings_read(NULL, overrides, COUNT_OF(overrides), &settings,
		&errors) == -1)
		errx(1, "settings: %s", errors.data);
	fd = settings_fd_new(settings);
	settings_free(&settings);
	if (fd == -1)
		err(1, "settings_fd_new");
	return fd;
}

struct placing {
	int from, to;
};

/* Through numbers that nothing has, so that none is overwritten. */
static void
place(struct placing *placings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if ((placings[i].from = fcntl(placings[i].from, F_DUPFD,
			 100)) == -1)
			err(1, "fcntl");
	for (size_t i = 0; i < count; i++)
		if (dup2(placings[i].from, placings[i].to) == -1)
			err(1, "dup2");
}

static void
be_registryd(struct placing *placings, size_t count)
{
	char name[] = "sluice-registryd", option[] = "-r", region[] = "0";
	char *argv[] = { name, option, region, NULL };

	place(placings, count);
	exit(daemon_run(registry_role(), 3, argv));
}

void
role_start(struct role *role)
{
	int master[2], healthd[2];
	char message[64];

	*role = (struct role){ 0 };
	fixture_make(&role->fixture, 100000);
	if (channel_pair(master) == -1 || channel_pair(healthd) == -1)
		err(1, "channel_pair");
	struct placing placings[] = {
		{ master[0], FD_MASTER },
		{ make_settings(role), FD_SETTINGS },
		{ fixture_region_fd(&role->fixture, SEGMENT_ROUTES, 0),
		    FD_REGION },
		{ healthd[0], FD_PEER },
		{ listen_on_loopback(&role->port), FD_LISTEN_FIRST },
		{ listen_on_loopback(&(uint16_t){ 0 }), FD_LISTEN_FIRST + 1 },
		{ listen_on_loopback(&(uint16_t){ 0 }), FD_LISTEN_FIRST + 2 },
	};
	if ((role->pid = fork()) == -1)
		err(1, "fork");
	if (role->pid == 0)
		be_registryd(placings, COUNT_OF(placings));
	for (size_t i = 0; i < COUNT_OF(placings); i++)
		close(placings[i].from);
	role->master = master[1];
	role->healthd = healthd[1];
	if (fcntl(role->master, F_SETFL, 0) == -1 ||
	    recv(role->master, message, sizeof(message), 0) <= 0)
		errx(1, "registryd did not become ready");
}

void
role_stop(struct role *role)
{
	int status;

	if (kill(role->pid, SIGTERM) == -1 ||
	    waitpid(role->pid, &status, 0) == -1)
		err(1, "registryd");
	close(role->master);
	close(role->healthd);
	fixture_remove(&role->fixture);
	if (status != 0)
		errx(1, "registryd left with status %#x", (unsigned)status);
}

static int
connect_to(const struct role *role)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(role->port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd == -1 ||
	    connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == -1)
		err(1, "connect");
	return fd;
}

/* One more piece of what comes; false at the end. */
static bool
receive(int fd, struct buf *answer)
{
	ssize_t n;

	if (buf_reserve(answer, 65536) == -1)
		err(1, "buf_reserve");
	n = recv(fd, answer->data + answer->len, 65535, 0);
	if (n == -1)
		err(1, "recv");
	answer->len += (size_t)n;
	answer->data[answer->len] = '\0';
	return n > 0;
}

char *
role_talk(struct role *role, const char *bytes)
{
	int fd = connect_to(role);
	struct buf answer = { 0 };

	if (send(fd, bytes, strlen(bytes), 0) == -1 ||
	    shutdown(fd, SHUT_WR) == -1)
		err(1, "send");
	while (receive(fd, &answer))
		;
	close(fd);
	return answer.data;
}

struct role_answer
role_ask(struct role *role, const char *request)
{
	struct role_answer answer = { .head = role_talk(role, request) };

	if (answer.head == NULL || strlen(answer.head) < 12)
		errx(1, "no answer to: %s", request);
	answer.status = (unsigned int)atoi(answer.head + 9);
	answer.body = strstr(answer.head, "\r\n\r\n");
	*answer.body = '\0';
	answer.body += 4;
	return answer;
}

struct role_answer
role_call(struct role *role, const char *method, const char *path,
    const char *fields, const char *body)
{
	struct role_answer answer;
	struct buf request = { 0 };

	buf_printf(&request, "%s %s HTTP/1.1\r\nHost: x\r\n%s", method, path,
	    fields);
	if (body[0] != '\0')
		buf_printf(&request, "Content-Length: %zu\r\n", strlen(body));
	buf_printf(&request, "Connection: close\r\n\r\n%s", body);
	answer = role_ask(role, request.data);
	buf_free(&request);
	return answer;
}
