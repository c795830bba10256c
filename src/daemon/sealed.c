/*
 * daemon/sealed.c - a text that goes from master to a role, unchanged.
 */
/* SPDX-License-Identifier: ISC */
#include "daemon/sealed.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Far above any configuration; a wrong descriptor is no reason to swap. */
#define SEALED_TEXT_MAX (64 << 20)

static int
write_all(int fd, struct bytes text)
{
	while (text.len > 0) {
		ssize_t written = write(fd, text.data, text.len);

		if (written == -1 && errno == EINTR)
			continue;
		if (written == -1)
			return -1;
		text = bytes_slice(text.data + written,
		    text.len - (size_t)written);
	}
	return 0;
}

int
sealed_new(const char *name, struct bytes text)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd == -1)
		return -1;
	if (write_all(fd, text) == -1 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW |
		    F_SEAL_WRITE) == -1) {
		int err = errno;

		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

int
sealed_read(int fd, struct buf *text)
{
	struct stat st;
	ssize_t len;
	off_t at = 0;

	if (fstat(fd, &st) == -1)
		return -1;
	if (st.st_size > SEALED_TEXT_MAX) {
		errno = EFBIG;
		return -1;
	}
	if (buf_reserve(text, (size_t)st.st_size + 1) == -1)
		return -1;
	while (at < st.st_size) {
		len = pread(fd, text->data + text->len,
		    (size_t)(st.st_size - at), at);
		if (len == -1 && errno == EINTR)
			continue;
		if (len == -1)
			return -1;
		if (len == 0)
			break;
		text->len += (size_t)len;
		at += len;
	}
	text->data[text->len] = '\0';
	return 0;
}
