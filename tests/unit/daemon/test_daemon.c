/*
 * tests/unit/daemon/test_daemon.c - what every role does beside its work.
 *
 * A child runs daemon_run() with a role that writes down what happens to
 * it in shared memory; the test speaks as master, in raw datagrams.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/daemon.h"
#include "daemon/settings_fd.h"
#include "ipc/inherited.h"

/* For what shall happen soon. */
#define PATIENCE_MS 20000

/* What the role saw. */
struct notes {
	_Atomic int drain_count, reopen_count, message_type;
	_Atomic int64_t deadline_ns, old_timeout_ms, new_timeout_ms;
	_Atomic int level;
	_Atomic uint32_t region;
};

struct child {
	struct notes *notes;
	pid_t pid;
	int fd;				/* master's end */
};

static struct notes *notes;		/* in the child */
static bool is_forgetful;

/* The role ------------------------------------------------------------- */

static int
role_start(struct daemon *daemon)
{
	notes->region = daemon->region;
	return strcmp(daemon->settings->instance, "hopeless") == 0 ? 73 : 0;
}

static void
role_reload(struct daemon *daemon, const struct settings *old)
{
	notes->old_timeout_ms = old->shutdown_timeout_ms;
	notes->new_timeout_ms = daemon->settings->shutdown_timeout_ms;
}

static void
role_drain(struct daemon *daemon, struct instant deadline)
{
	notes->deadline_ns = deadline.ns;
	notes->drain_count++;
	notes->level = (int)log_get_level();
	if (!is_forgetful)
		daemon_done(daemon);
}

static void
role_reopen(struct daemon *daemon)
{
	(void)daemon;
	notes->reopen_count++;
}

static int
role_message(struct daemon *daemon, const struct channel_message *message)
{
	(void)daemon;
	notes->message_type = message->type;
	return 0;
}

/* The frame -------------------------------------------------------------- */

static int
settings_of(const char *text)
{
	struct settings *settings;
	struct buf errors = { 0 };
	int fd;

	if (settings_parse(bytes_of(text), &settings, &errors) == -1)
		fail_msg("%s", errors.data);
	fd = settings_fd_new(settings);
	settings_free(&settings);
	buf_free(&errors);
	assert_int_not_equal(fd, -1);
	return fd;
}

static NORETURN void
run_child(int master_fd, int settings_fd)
{
	static char name[] = "role", option[] = "-r", region[] = "5";
	static char *argv[] = { name, option, region, NULL };
	static const struct daemon_role role = {
		.name = "role",
		.start = role_start,
		.reload = role_reload,
		.drain = role_drain,
		.reopen = role_reopen,
		.message = role_message,
	};

	/* aside first: either may stand where the other shall be */
	master_fd = fcntl(master_fd, F_DUPFD, 100);
	settings_fd = fcntl(settings_fd, F_DUPFD, 100);
	if (dup2(master_fd, FD_MASTER) == -1 ||
	    dup2(settings_fd, FD_SETTINGS) == -1 ||
	    fcntl(FD_MASTER, F_SETFL, O_NONBLOCK) == -1)
		_exit(99);
	close_range(FD_SETTINGS + 1, ~0U, 0);
	signal(SIGTERM, SIG_DFL);
	_exit(daemon_run(&role, 3, argv));
}

static void
start(struct child *child, const char *settings)
{
	int settings_fd = settings_of(settings), ends[2];

	child->notes = mmap(NULL, sizeof(*child->notes), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(child->notes, MAP_FAILED);
	child->notes->drain_count = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			     ends), 0);
	child->fd = ends[0];
	child->pid = fork();
	assert_int_not_equal(child->pid, -1);
	if (child->pid == 0) {
		notes = child->notes;
		run_child(ends[1], settings_fd);
	}
	close(ends[1]);
	close(settings_fd);
}

/* Waits for the role's word; its type, or -1 when it has gone. */
static int
hear(const struct child *child)
{
	struct pollfd watched = { .fd = child->fd, .events = POLLIN };
	struct channel_head head;

	assert_int_equal(poll(&watched, 1, PATIENCE_MS), 1);
	if (recv(child->fd, &head, sizeof(head), 0) != sizeof(head))
		return -1;
	assert_int_equal(head.version, ROLE_MSG_VERSION);
	return head.type;
}

static void
start_ready(struct child *child, const char *settings)
{
	start(child, settings);
	assert_int_equal(hear(child), FROM_ROLE_READY);
}

static void
say(const struct child *child, uint16_t type, const void *body, size_t len,
    int fd)
{
	struct channel_head head = { ROLE_MSG_VERSION, type, (uint32_t)len };
	char copy[2048], control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec parts[2] = { { &head, sizeof(head) }, { copy, len } };
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = 2 };

	if (len > 0)
		memcpy(copy, body, len);
	if (fd != -1) {
		struct cmsghdr *first;

		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		first = CMSG_FIRSTHDR(&msg);
		first->cmsg_level = SOL_SOCKET;
		first->cmsg_type = SCM_RIGHTS;
		first->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(first), &fd, sizeof(fd));
	}
	assert_int_equal(sendmsg(child->fd, &msg, 0),
	    (int)(sizeof(head) + len));
}

static void
say_drain(const struct child *child, int64_t deadline_ns)
{
	const struct role_drain order = { .deadline_ns = deadline_ns };

	say(child, TO_ROLE_DRAIN, &order, sizeof(order), -1);
}

/* Waits for the end; the exit status. */
static int
finish(struct child *child)
{
	int status;

	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	if (child->fd != -1)
		close(child->fd);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
forget(struct child *child)
{
	munmap(child->notes, sizeof(*child->notes));
}

/* The cases -------------------------------------------------------------- */

static void
it_is_ready_after_its_start_and_knows_its_region(void **state)
{
	struct child child;

	(void)state;
	start_ready(&child, "");
	say_drain(&child, 0);
	assert_int_equal(finish(&child), 0);
	assert_int_equal(child.notes->region, 5);
	assert_int_equal(child.notes->drain_count, 1);
	assert_true(child.notes->deadline_ns == 0);
	forget(&child);
}

static void
a_start_that_fails_is_an_exit_status_and_not_ready(void **state)
{
	struct child child;

	(void)state;
	start(&child, "instance = \"hopeless\"\n");
	assert_int_equal(hear(&child), -1);
	assert_int_equal(finish(&child), 73);
	forget(&child);
}

static void
orders_reach_the_role(void **state)
{
	const struct role_log_level level = { LOG_LEVEL_DEBUG };
	const struct role_outcome outcome = { .id = 1 };
	struct child child;
	int fd = settings_of("shutdown_timeout = \"7s\"\n");

	(void)state;
	start_ready(&child, "shutdown_timeout = \"3s\"\n");
	say(&child, TO_ROLE_RELOAD, NULL, 0, fd);
	say(&child, TO_ROLE_REOPEN, NULL, 0, -1);
	say(&child, TO_ROLE_LOG_LEVEL, &level, sizeof(level), -1);
	say(&child, TO_ROLE_RELOADED, &outcome, sizeof(outcome), -1);
	say_drain(&child, INT64_MAX / 4);
	assert_int_equal(finish(&child), 0);
	assert_int_equal(child.notes->old_timeout_ms, 3000);
	assert_int_equal(child.notes->new_timeout_ms, 7000);
	assert_int_equal(child.notes->reopen_count, 1);
	assert_int_equal(child.notes->level, LOG_LEVEL_DEBUG);
	assert_int_equal(child.notes->message_type, TO_ROLE_RELOADED);
	assert_true(child.notes->deadline_ns == INT64_MAX / 4);
	close(fd);
	forget(&child);
}

static void
what_master_may_not_say_closes_the_channel_and_drains(void **state)
{
	static const struct {
		const char *sentence;
		uint16_t type;
		size_t len;
	} cases[] = {
		{ "a type that is none", TO_ROLE_COUNT, 0 },
		{ "a drain without its body", TO_ROLE_DRAIN, 0 },
		{ "a reopen with a body", TO_ROLE_REOPEN, 4 },
		{ "a reload without its descriptor", TO_ROLE_RELOAD, 0 },
		{ "a level that is none", TO_ROLE_LOG_LEVEL, 4 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct child child;

		start_ready(&child, "");
		say(&child, cases[i].type, "\377\377\377\377",
		    cases[i].len, -1);
		if (hear(&child) != -1 || finish(&child) != 0 ||
		    child.notes->drain_count != 1)
			fail_msg("%s", cases[i].sentence);
		forget(&child);
	}
}

static void
the_death_of_master_drains_within_the_timeout(void **state)
{
	struct instant before = clock_now(), after;
	struct child child;

	(void)state;
	start_ready(&child, "shutdown_timeout = \"100s\"\n");
	close(child.fd);
	child.fd = -1;
	assert_int_equal(finish(&child), 0);
	after = clock_now();
	assert_int_equal(child.notes->drain_count, 1);
	assert_true(child.notes->deadline_ns >=
	    instant_after_ms(before, 100000).ns);
	assert_true(child.notes->deadline_ns <=
	    instant_after_ms(after, 100000).ns);
	forget(&child);
}

static void
a_terminal_s_signals_are_not_for_roles_but_sigterm_drains(void **state)
{
	static const int ignored[] = { SIGINT, SIGHUP, SIGUSR1, SIGUSR2,
		SIGQUIT, SIGPIPE };
	struct child child;

	(void)state;
	start_ready(&child, "");
	for (size_t i = 0; i < COUNT_OF(ignored); i++)
		assert_int_equal(kill(child.pid, ignored[i]), 0);
	assert_int_equal(kill(child.pid, SIGTERM), 0);
	assert_int_equal(finish(&child), 0);
	assert_int_equal(child.notes->drain_count, 1);
	forget(&child);
}

static void
a_role_that_forgets_its_deadline_is_ended(void **state)
{
	struct child child;

	(void)state;
	is_forgetful = true;
	start_ready(&child, "");
	is_forgetful = false;
	say_drain(&child, 1);
	assert_int_equal(finish(&child), 0);
	assert_int_equal(child.notes->drain_count, 1);
	forget(&child);
}

static void
settings_that_cannot_be_read_change_nothing(void **state)
{
	struct child child;
	int fd = memfd_create("bad", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(write(fd, "x = \"", 5), 5);
	start_ready(&child, "");
	say(&child, TO_ROLE_RELOAD, NULL, 0, fd);
	say_drain(&child, 0);
	assert_int_equal(finish(&child), 0);
	assert_int_equal(child.notes->new_timeout_ms, 0);
	close(fd);
	forget(&child);
}

static void
sealed_settings_cannot_change_and_are_read_from_anywhere(void **state)
{
	int fd = settings_of("shutdown_timeout = \"9s\"\n");
	struct settings *settings;
	struct buf errors = { 0 };

	(void)state;
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(lseek(fd, 0, SEEK_END) > 0, 1);
	assert_int_equal(settings_fd_read(fd, &settings, &errors), 0);
	assert_int_equal(settings->shutdown_timeout_ms, 9000);
	settings_free(&settings);
	buf_free(&errors);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    it_is_ready_after_its_start_and_knows_its_region),
		cmocka_unit_test(
		    a_start_that_fails_is_an_exit_status_and_not_ready),
		cmocka_unit_test(orders_reach_the_role),
		cmocka_unit_test(
		    what_master_may_not_say_closes_the_channel_and_drains),
		cmocka_unit_test(the_death_of_master_drains_within_the_timeout),
		cmocka_unit_test(
		    a_terminal_s_signals_are_not_for_roles_but_sigterm_drains),
		cmocka_unit_test(a_role_that_forgets_its_deadline_is_ended),
		cmocka_unit_test(settings_that_cannot_be_read_change_nothing),
		cmocka_unit_test(
		    sealed_settings_cannot_change_and_are_read_from_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
