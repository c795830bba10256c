/*
 * master/orphans.c - the roles of a master that died.
 *
 * A pid may belong to somebody else by now, so each is held by a pidfd
 * first and then looked at: it must run a program of ours.
 */
/* SPDX-License-Identifier: ISC */
#include "master/orphans.h"

#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "master/master.h"
#include "master/roles.h"
#include "shm/master_status.h"

static int
open_pid(uint32_t pid)
{
	return (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
}

static void
send_signal(int pidfd, int number)
{
	if (syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0) == -1 &&
	    errno != ESRCH)
		log_warn("signal to a former role: %m");
}

/* By its argv[0], which is the program's name. */
static bool
is_role(uint32_t pid, const char *program)
{
	char path[64], name[64];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/cmdline", pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return false;
	len = read(fd, name, sizeof(name) - 1);
	close(fd);
	if (len <= 0)
		return false;
	name[len] = '\0';
	return strcmp(name, program) == 0;
}

/* Returns a pidfd of a role that lives, or -1. */
static int
find_orphan(const struct role_status *row)
{
	uint32_t kind = atomic_load_explicit(&row->kind, memory_order_relaxed);
	uint32_t pid = atomic_load_explicit(&row->pid, memory_order_relaxed);
	int pidfd;

	if (pid == 0 || kind > ROLE_HEALTHD || (pidfd = open_pid(pid)) == -1)
		return -1;
	if (!is_role(pid, role_row((enum role_kind)kind)->program)) {
		close(pidfd);
		return -1;
	}
	return pidfd;
}

static bool
has_ended(int pidfd, int64_t span_ms)
{
	struct pollfd watched = { .fd = pidfd, .events = POLLIN };

	return poll(&watched, 1, span_ms < 0 ? 0 : (int)span_ms) == 1;
}

static void
wait_for_one(int pidfd, struct instant deadline)
{
	if (has_ended(pidfd, instant_diff_ms(deadline, clock_now())))
		return;
	log_warn("a role of the former master did not finish: killed");
	send_signal(pidfd, SIGKILL);
	if (!has_ended(pidfd, 5000))
		log_error("a role of the former master does not die");
}

static void
take_over_one(struct master *master, uint32_t index, int pidfd)
{
	struct instant deadline = instant_after_ms(clock_now(),
	    master->settings->shutdown_timeout_ms);

	send_signal(pidfd, SIGTERM);
	if (index >= WORKER_INDEX_FIRST) {
		master->processes[index].orphan_fd = pidfd;
		return;
	}
	wait_for_one(pidfd, deadline);
	close(pidfd);
}

bool
orphans_take_over(struct master *master)
{
	const struct master_status *status;
	uint32_t count = 0;

	if (master_status_open(master->segment_dir, &status) == -1)
		return false;
	/* workers first, so that they finish while others are waited for */
	for (uint32_t i = MASTER_ROLES_MAX; i-- > 0;) {
		int pidfd = find_orphan(&status->roles[i]);

		if (pidfd == -1)
			continue;
		count++;
		take_over_one(master, i, pidfd);
	}
	master_status_close(&status);
	if (count > 0)
		log_notice("the former master left %u roles: they finish",
		    count);
	return count > 0;
}

bool
orphan_has_left(int *pidfd)
{
	if (*pidfd == -1)
		return true;
	if (!has_ended(*pidfd, 0))
		return false;
	close(*pidfd);
	*pidfd = -1;
	return true;
}
