/*
 * daemon/settings_fd.c - the configuration as it goes from master to roles.
 */
/* SPDX-License-Identifier: ISC */
#include "daemon/settings_fd.h"

#include <errno.h>
#include <string.h>

#include "daemon/sealed.h"

int
settings_fd_new(const struct settings *settings)
{
	struct buf text = { 0 };
	int fd = -1;

	settings_print(settings, true, &text);
	if (text.is_failed)
		errno = ENOMEM;
	else
		fd = sealed_new("sluice.conf", buf_bytes(&text));
	buf_free(&text);
	return fd;
}

int
settings_fd_read(int fd, struct settings **settings_r, struct buf *errors)
{
	struct buf text = { 0 };
	int result = -1;

	*settings_r = NULL;
	if (sealed_read(fd, &text) == -1)
		buf_printf(errors, "settings from master: %s\n",
		    strerror(errno));
	else
		result = settings_parse(buf_bytes(&text), settings_r, errors);
	buf_free(&text);
	return result;
}
