/*
 * master/pidfile.c - the pid file, which is also the lock of an instance.
 */
/* SPDX-License-Identifier: ISC */
#include "master/pidfile.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "common/bytes.h"

void
pidfile_path(const struct settings *settings, char path[PIDFILE_PATH_SIZE])
{
	if (settings->pid_file[0] != '\0')
		snprintf(path, PIDFILE_PATH_SIZE, "%s", settings->pid_file);
	else
		snprintf(path, PIDFILE_PATH_SIZE, "%s/sluice.pid",
		    settings->runtime_dir);
}

/* The number in the file, or 0. */
static pid_t
read_pid(int fd)
{
	unsigned long long pid;
	char text[32];
	ssize_t len = pread(fd, text, sizeof(text), 0);
	struct bytes line;

	if (len <= 0)
		return 0;
	line = bytes_slice(text, (size_t)len);
	if (line.data[line.len - 1] == '\n')
		line.len--;
	if (bytes_to_number(line, 0x7fffffff, &pid) == -1)
		return 0;
	return (pid_t)pid;
}

static int
write_pid(int fd)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	/* whatever the umask: everybody may know */
	if (fchmod(fd, 0644) == -1 || ftruncate(fd, 0) == -1)
		return -1;
	return pwrite(fd, text, (size_t)len, 0) == len ? 0 : -1;
}

/* A predecessor may have removed the file between our open and lock. */
static bool
is_still_there(const char *path, int fd)
{
	struct stat ours, theirs;

	return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 &&
	    ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

static int
fail_closing(int fd)
{
	int err = errno;

	close(fd);
	errno = err;
	return -1;
}

int
pidfile_lock(const char *path, pid_t *owner_r)
{
	int fd;

	for (;;) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		    0644);
		if (fd == -1)
			return -1;
		if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
			*owner_r = read_pid(fd);
			return fail_closing(fd);
		}
		if (is_still_there(path, fd))
			break;
		close(fd);
	}
	if (write_pid(fd) == -1)
		return fail_closing(fd);
	return fd;
}

pid_t
pidfile_owner(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	pid_t owner = -1;

	if (fd == -1) {
		if (errno == ENOENT)
			errno = ESRCH;
		return -1;
	}
	if (flock(fd, LOCK_SH | LOCK_NB) == 0)
		errno = ESRCH;
	else if (errno == EWOULDBLOCK && (owner = read_pid(fd)) == 0) {
		owner = -1;
		errno = ESRCH;
	}
	if (owner == -1)
		return fail_closing(fd);
	close(fd);
	return owner;
}

void
pidfile_remove(const char *path, int fd)
{
	unlink(path);
	close(fd);
}
