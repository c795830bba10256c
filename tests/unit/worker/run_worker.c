/*
 * tests/unit/worker/run_worker.c - a worker with a segment and no master.
 *
 *	run_worker PROGRAM [-m connections] [-o name=value]... ROUTE...
 *
 * ROUTE is "[host]/prefix[,strip]=URL[,URL]..."; -m bounds the connections
 * of each backend behind it.  Lays out what a worker
 * inherits, on a listening socket of 127.0.0.1 whose port is printed;
 * reads a line of standard input for each order: "drain MS", "reload
 * name=value", "health SLOT FLAGS", and the end of it kills.  Its exit
 * status is the worker's.
 */
/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "conf/settings.h"
#include "daemon/settings_fd.h"
#include "http/url.h"
#include "ipc/channel.h"
#include "ipc/inherited.h"
#include "ipc/role_msg.h"
#include "shm/health.h"
#include "shm/segment.h"
#include "shm/table_writer.h"

#define BACKENDS_MAX  8
#define OVERRIDES_MAX 32
#define ASIDE	      100

struct harness {
	char root[64], dir[SEGMENT_DIR_SIZE];
	struct table_writer *writer;
	struct health_map *health;
	struct setting_override overrides[OVERRIDES_MAX];
	uint32_t override_count, backend_count;
	uint32_t next_id, max_connections;
	int master_fd;
};

static struct settings *
read_settings(struct harness *harness)
{
	struct buf errors = { 0 };
	struct settings *settings;

	if (settings_read(NULL, harness->overrides, harness->override_count,
	    &settings, &errors) == -1)
		errx(1, "settings: %.*s", BYTES_ARGS(buf_bytes(&errors)));
	buf_free(&errors);
	return settings;
}

static void
make_segment(struct harness *harness, const struct settings *settings)
{
	const struct segment_capacity capacity = { 1024, 1024, 1024, 1024 };
	bool is_adopted;
	int fd;

	strcpy(harness->root, "/dev/shm/run_worker.XXXXXX");
	if (mkdtemp(harness->root) == NULL)
		err(1, "mkdtemp");
	setenv("SLUICE_SHM_DIR", harness->root, 1);
	if (segment_dir(settings->instance, harness->dir) == -1 ||
	    segment_create(harness->dir, &capacity, (uid_t)-1, (gid_t)-1,
	    &is_adopted) == -1 ||
	    segment_create_worker(harness->dir, 0, &capacity, (uid_t)-1,
	    (gid_t)-1) == -1)
		err(1, "segment");
	fd = segment_open_writable(harness->dir, SEGMENT_ROUTES, 0);
	if (fd == -1 || table_writer_open(fd, &harness->writer) == -1)
		err(1, "table");
	fd = segment_open_writable(harness->dir, SEGMENT_HEALTH, 0);
	if (fd == -1 || health_open_writable(fd, &harness->health) == -1)
		err(1, "health");
}

static uint32_t
put_backend(struct harness *harness, struct bytes text)
{
	struct backend_url url;
	const char *wrong = url_parse_backend(text, &url);
	struct backend_spec spec = { .id = ++harness->next_id, .weight = 1 };
	uint32_t slot = TABLE_NONE;

	if (wrong != NULL)
		errx(1, "%.*s: %s", BYTES_ARGS(text), wrong);
	spec.kind = url.is_unix ? BACKEND_UNIX : BACKEND_TCP;
	spec.host = url.host;
	spec.port = url.port;
	spec.base_path = url.base_path;
	spec.service = TABLE_NONE;
	spec.max_connections = harness->max_connections;
	if (table_writer_put_backend(harness->writer, &slot, &spec) == -1)
		err(1, "put backend");
	return slot;
}

static uint32_t
put_service(struct harness *harness, struct bytes urls)
{
	uint32_t slots[BACKENDS_MAX], slot = TABLE_NONE;
	struct service_spec spec = { .name = BYTES_LITERAL("service"),
		.retries = 1, .backends = slots };
	struct bytes url;

	while (bytes_next_field(&urls, ',', &url))
		if (url.len > 0)
			slots[spec.backend_count++] =
			    put_backend(harness, url);
	if (table_writer_put_service(harness->writer, &slot, &spec) == -1)
		err(1, "put service");
	return slot;
}

/* "[host]/prefix[,strip]=URL,URL" */
static void
put_route(struct harness *harness, const char *text)
{
	struct bytes rest = bytes_of(text), place, path;
	struct route_spec spec = { .id = ++harness->next_id,
		.label = BYTES_LITERAL("route"), .target_count = 1 };
	uint32_t slot = TABLE_NONE;
	struct path_spec paths = { .routes = &slot, .route_count = 1 };
	struct path_key key = { 0 };
	const char *slash;

	(void)bytes_next_field(&rest, '=', &place);
	(void)bytes_next_field(&place, ',', &path);
	slash = memchr(path.data, '/', path.len);
	if (slash == NULL)
		errx(1, "%s: no prefix", text);
	spec.strip_prefix = place.data != NULL;
	spec.targets[0].service = put_service(harness, rest);
	spec.targets[0].weight = 1;
	key.host = bytes_slice(path.data, (size_t)(slash - path.data));
	key.prefix = bytes_slice(slash, path.len - key.host.len);
	if (table_writer_put_route(harness->writer, &slot, &spec) == -1 ||
	    table_writer_put_path(harness->writer, &key, &paths) == -1)
		err(1, "put route");
}

static int
listen_anywhere(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || bind(fd, (void *)&address, len) == -1 ||
	    listen(fd, 1024) == -1 ||
	    getsockname(fd, (void *)&address, &len) == -1)
		err(1, "listen");
	printf("%u\n", ntohs(address.sin_port));
	return fd;
}

static void
inherit(int from, int to)
{
	if (dup2(from, to) == -1)
		err(1, "dup2");
}

static pid_t
start_worker(struct harness *harness, const char *program, int listener)
{
	struct settings *settings = read_settings(harness);
	int fds[2];
	pid_t pid;

	if (channel_pair(fds) == -1)
		err(1, "channel");
	harness->master_fd = fds[0];
	fflush(stdout);
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid > 0) {
		close(fds[1]);
		settings_free(&settings);
		return pid;
	}
	inherit(fds[1], ASIDE);
	inherit(settings_fd_new(settings), ASIDE + 1);
	inherit(segment_open_writable(harness->dir, SEGMENT_WORKER, 0),
	    ASIDE + 2);
	inherit(eventfd(0, EFD_NONBLOCK), ASIDE + 3);
	inherit(listener, ASIDE + 4);
	inherit(segment_open_writable(harness->dir, SEGMENT_LIMITS, 0),
	    ASIDE + 5);
	inherit(ASIDE, FD_MASTER);
	inherit(ASIDE + 1, FD_SETTINGS);
	inherit(ASIDE + 2, FD_REGION);
	inherit(ASIDE + 3, FD_FAILURES);
	inherit(ASIDE + 4, FD_LISTEN_FIRST);
	inherit(ASIDE + 5, FD_LIMITS);
	for (int fd = ASIDE; fd < ASIDE + 6; fd++)
		close(fd);
	execl(program, "sluice-worker", "-r", "0", (char *)NULL);
	err(1, "%s", program);
}

/* What channel_send() would write, without a loop. */
static void
order(struct harness *harness, uint16_t type, const void *body, size_t len,
    int fd)
{
	struct channel_head head = { ROLE_MSG_VERSION, type, (uint32_t)len };
	struct iovec iov[2] = { { &head, sizeof(head) },
		{ (void *)(uintptr_t)body, len } };
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr message = { .msg_iov = iov, .msg_iovlen = 2 };

	if (fd != -1) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	}
	if (sendmsg(harness->master_fd, &message, 0) == -1)
		warn("order");
}

static void
obey(struct harness *harness, char *line)
{
	struct role_drain drain = { 0 };
	unsigned int slot, flags;
	long span_ms;
	char *value;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "drain %ld", &span_ms) == 1) {
		drain.deadline_ns =
		    instant_after_ms(clock_now(), span_ms).ns;
		order(harness, TO_ROLE_DRAIN, &drain, sizeof(drain), -1);
	} else if (sscanf(line, "health %u %u", &slot, &flags) == 2) {
		if (health_put(harness->health, slot, 1, flags) == -1)
			warn("health");
	} else if (strncmp(line, "reload ", 7) == 0 &&
	    (value = strchr(line, '=')) != NULL &&
	    harness->override_count < OVERRIDES_MAX) {
		struct settings *settings;
		int fd;

		*value++ = '\0';
		harness->overrides[harness->override_count++] =
		    (struct setting_override){ line + 7, value };
		settings = read_settings(harness);
		fd = settings_fd_new(settings);
		order(harness, TO_ROLE_RELOAD, NULL, 0, fd);
		close(fd);
		settings_free(&settings);
		harness->override_count--;	/* its text is the line's */
	}
}

int
main(int argc, char **argv)
{
	struct harness harness = { 0 };
	struct settings *settings;
	const char *program = argv[1];
	char line[512];
	int option, status = 0, listener;
	pid_t pid;

	optind = 2;
	while ((option = getopt(argc, argv, "m:o:")) != -1) {
		char *value = option == 'o' ? strchr(optarg, '=') : NULL;

		if (option == 'm') {
			harness.max_connections = (uint32_t)atoi(optarg);
			continue;
		}
		if (value == NULL || harness.override_count == OVERRIDES_MAX)
			errx(64, "usage: run_worker PROGRAM [-o k=v] ROUTE...");
		*value = '\0';
		harness.overrides[harness.override_count++] =
		    (struct setting_override){ optarg, value + 1 };
	}
	settings = read_settings(&harness);
	make_segment(&harness, settings);
	settings_free(&settings);
	table_writer_begin(harness.writer);
	for (int i = optind; i < argc; i++)
		put_route(&harness, argv[i]);
	table_writer_commit(harness.writer, 1);
	listener = listen_anywhere();
	pid = start_worker(&harness, program, listener);
	printf("%d\n", (int)pid);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) != NULL)
		obey(&harness, line);
	close(harness.master_fd);
	waitpid(pid, &status, 0);
	table_writer_close(&harness.writer);
	health_close(&harness.health);
	segment_remove(harness.dir);
	rmdir(harness.root);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
