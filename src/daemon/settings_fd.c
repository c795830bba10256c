/*
 * daemon/settings_fd.c - the configuration as it goes from master to roles.
 */
/* SPDX-License-Identifier: ISC */
#include "daemon/settings_fd.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

/* Far above any configuration; a wrong descriptor is no reason to swap. */
#define SETTINGS_TEXT_MAX (64 << 20)

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

static int
seal_text(struct bytes text)
{
	int fd = memfd_create("sluice.conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);

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
settings_fd_new(const struct settings *settings)
{
	struct buf text = { 0 };
	int fd = -1;

	settings_print(settings, true, &text);
	if (text.is_failed)
		errno = ENOMEM;
	else
		fd = seal_text(buf_bytes(&text));
	buf_free(&text);
	return fd;
}

/* Reads all of fd into text, from its beginning. */
static int
read_all(int fd, struct buf *text)
{
	struct stat st;
	ssize_t len;

	if (fstat(fd, &st) == -1)
		return -1;
	if (st.st_size > SETTINGS_TEXT_MAX) {
		errno = EFBIG;
		return -1;
	}
	if (buf_reserve(text, (size_t)st.st_size + 1) == -1)
		return -1;
	while ((off_t)text->len < st.st_size) {
		len = pread(fd, text->data + text->len,
		    (size_t)st.st_size - text->len, (off_t)text->len);
		if (len == -1 && errno == EINTR)
			continue;
		if (len == -1)
			return -1;
		if (len == 0)
			break;
		text->len += (size_t)len;
	}
	text->data[text->len] = '\0';
	return 0;
}

int
settings_fd_read(int fd, struct settings **settings_r, struct buf *errors)
{
	struct buf text = { 0 };
	int result = -1;

	*settings_r = NULL;
	if (read_all(fd, &text) == -1)
		buf_printf(errors, "settings from master: %s\n",
		    strerror(errno));
	else
		result = settings_parse(buf_bytes(&text), settings_r, errors);
	buf_free(&text);
	return result;
}
