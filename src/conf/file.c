/*
 * conf/file.c - a configuration file, as a text.
 */
/* SPDX-License-Identifier: ISC */
#include "conf/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX (16 << 20)

int
file_load(const char *path, struct buf *buf)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), saved;
	struct stat st;
	ssize_t got = -1;

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1)
		goto done;
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode) &&
	    !S_ISCHR(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		goto done;
	}
	if (fcntl(fd, F_SETFL, 0) == -1)
		goto done;
	while ((got = buf_reserve(buf, 4096)) == 0 &&
	    (got = read(fd, buf->data + buf->len, 4096)) > 0) {
		buf->len += (size_t)got;
		if (buf->len > FILE_BYTES_MAX) {
			errno = EFBIG;
			got = -1;
			break;
		}
	}
done:
	saved = errno;
	close(fd);
	errno = saved;
	return got == 0 ? 0 : -1;
}
