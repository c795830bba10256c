/*
 * master/spawn.c - a child that becomes a role: descriptors, identity, exec.
 */
/* SPDX-License-Identifier: ISC */
#include "master/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "ipc/channel.h"
#include "ipc/inherited.h"

/* Above every number that a role may find open. */
#define SPAWN_ASIDE (FD_LISTEN_FIRST + CHANNEL_FDS_MAX)

void
spawn_plan_add(struct spawn_plan *plan, int from, int to)
{
	invariant(plan->move_count < SPAWN_MOVES_MAX && to < SPAWN_ASIDE);
	plan->moves[plan->move_count++] = (struct fd_move){ from, to };
}

int
spawn_lay_out(struct spawn_plan *plan)
{
	int fd;

	/* aside first, since a source may stand where another shall be */
	for (uint32_t i = 0; i < plan->move_count; i++) {
		fd = fcntl(plan->moves[i].from, F_DUPFD_CLOEXEC, SPAWN_ASIDE);
		if (fd == -1)
			return -1;
		plan->moves[i].from = fd;
	}
	fd = fcntl(plan->program_fd, F_DUPFD_CLOEXEC, SPAWN_ASIDE);
	if (fd == -1)
		return -1;
	plan->program_fd = fd;
	for (uint32_t i = 0; i < plan->move_count; i++)
		if (dup2(plan->moves[i].from, plan->moves[i].to) == -1)
			return -1;
	return 0;
}

/* Handlers and the mask of master are nothing for a role. */
static void
reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static NORETURN void
give_up(int status, const char *what, const char *program)
{
	log_error("%s: %s: %m", program, what);
	_exit(status);
}

static void
close_input(const char *program)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd == -1 || dup2(fd, STDIN_FILENO) == -1)
		give_up(EX_OSERR, "/dev/null", program);
}

static NORETURN void
become(struct spawn_plan *plan)
{
	char region[16], *argv[4];

	reset_signals();
	close_input(plan->program);
	if (spawn_lay_out(plan) == -1)
		give_up(EX_OSERR, "descriptors", plan->program);
	if (identity_assume(plan->identity) == -1)
		give_up(EX_NOPERM, "dropping privileges", plan->program);
	unsetenv("NOTIFY_SOCKET");
	snprintf(region, sizeof(region), "%u", plan->region);
	/* execve() does not write to its strings, whatever its type says */
	argv[0] = (char *)(uintptr_t)plan->program;
	argv[1] = (char *)(uintptr_t)"-r";
	argv[2] = region;
	argv[3] = NULL;
	fexecve(plan->program_fd, argv, environ);
	give_up(EX_OSERR, "exec", plan->program);
}

pid_t
spawn(struct spawn_plan *plan)
{
	sigset_t all, before;
	pid_t pid;

	/* a signal in the child must not reach master's loop through the
	 * descriptors that both share until exec */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		become(plan);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}
