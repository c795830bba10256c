/*
 * master/background.c - leaving the shell, which hears how it went.
 */
/* SPDX-License-Identifier: ISC */
#include "master/background.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "master/master.h"

/* In the shell's process: never returns. */
static NORETURN void
wait_for_report(const struct master *master, int fd)
{
	unsigned char status;
	ssize_t len;

	do
		len = read(fd, &status, sizeof(status));
	while (len == -1 && errno == EINTR);
	if (len != sizeof(status))
		status = EX_OSERR;
	if (status != 0)
		fprintf(stderr, "sluice: not started; its log is %s\n",
		    master->settings->log.error);
	_exit(status);
}

/* A start that fails ends by exit() wherever it stands. */
static void
report_exit(int status, void *master)
{
	background_report(master, status);
}

void
background_enter(struct master *master)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) == -1 || (pid = fork()) == -1)
		fatal(EX_OSERR, "background: %m");
	if (pid != 0) {
		close(ends[1]);
		wait_for_report(master, ends[0]);
	}
	close(ends[0]);
	setsid();
	if ((pid = fork()) == -1)
		fatal(EX_OSERR, "background: %m");
	if (pid != 0)
		_exit(0);
	if (chdir("/") == -1)
		fatal(EX_OSERR, "background: /: %m");
	master->report_fd = ends[1];
	if (on_exit(report_exit, master) != 0)
		fatal(EX_OSERR, "background: %m");
}

void
background_leave_terminal(const struct master *master)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd == -1)
		fatal(EX_OSERR, "/dev/null: %m");
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	if (strcmp(master->settings->log.error, "stderr") != 0)
		dup2(fd, STDERR_FILENO);
	close(fd);
}

void
background_report(struct master *master, int status)
{
	unsigned char byte = (unsigned char)status;

	if (master->report_fd == -1)
		return;
	if (write(master->report_fd, &byte, sizeof(byte)) == -1)
		log_debug("the shell that started sluice is gone: %m");
	close(master->report_fd);
	master->report_fd = -1;
}
