/*
 * master/certificates.c - the files of TLS listeners, read and checked.
 */
/* SPDX-License-Identifier: ISC */
#include "master/certificates.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "daemon/tls.h"

/* Above any chain; a wrong path is no reason to read on. */
#define FILE_BYTES_MAX (4 << 20)

struct reading {
	const struct tls_setting *setting;
	const char *conf_path;
	struct buf *lines;
};

/* A path of the settings: its name and value, and where they stand. */
struct named_file {
	const char *name, *path, *where;
};

static void
begin_line(const struct reading *reading, const char *where)
{
	buf_printf(reading->lines, "%s: ",
	    *where == '\0' ? reading->conf_path : where);
}

/* "where: name: 'path' why".  Returns -1. */
static int
refuse(const struct reading *reading, const struct named_file *file,
    const char *why)
{
	begin_line(reading, file->where);
	buf_printf(reading->lines, "%s: '%s' %s\n", file->name, file->path,
	    why);
	return -1;
}

static void
warn(const struct reading *reading, const struct named_file *file,
    const char *what)
{
	begin_line(reading, file->where);
	buf_printf(reading->lines, "warning: %s: '%s' %s\n", file->name,
	    file->path, what);
}

static struct named_file
certificate_file(const struct reading *reading)
{
	return (struct named_file){ "registration.tls_certificate",
		reading->setting->certificate,
		reading->setting->certificate_where };
}

static struct named_file
key_file(const struct reading *reading)
{
	if (*reading->setting->key == '\0')
		return certificate_file(reading);
	return (struct named_file){ "registration.tls_key",
		reading->setting->key, reading->setting->key_where };
}

static struct named_file
client_ca_file(const struct reading *reading)
{
	return (struct named_file){ "registration.tls_client_ca",
		reading->setting->client_ca,
		reading->setting->client_ca_where };
}

/* Files ------------------------------------------------------------------ */

/* 0, or -1 with errno. */
static int
read_all(int fd, size_t size, struct buf *text)
{
	if (buf_reserve(text, size + 1) == -1)
		return -1;
	while (text->len < size) {
		ssize_t got = read(fd, text->data + text->len,
		    size - text->len);

		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return -1;
		if (got == 0)
			break;
		text->len += (size_t)got;
	}
	text->data[text->len] = '\0';
	return 0;
}

/* What is wrong with an open file, or NULL with the text. */
static const char *
load_file(int fd, struct buf *text, mode_t *mode_r)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return strerror(errno);
	*mode_r = st.st_mode;
	if (S_ISDIR(st.st_mode))
		return strerror(EISDIR);
	if (!S_ISREG(st.st_mode))
		return "it is no regular file";
	if (st.st_size > FILE_BYTES_MAX)
		return strerror(EFBIG);
	if (read_all(fd, (size_t)st.st_size, text) == -1)
		return strerror(errno);
	return text->len == 0 ? "it is empty" : NULL;
}

static int
read_file(const struct reading *reading, const struct named_file *file,
    struct buf *text, mode_t *mode_r)
{
	/* a pipe without a writer must not hold master up */
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *wrong = fd == -1 ? strerror(errno) :
				       load_file(fd, text, mode_r);
	struct buf why = { 0 };

	if (fd != -1)
		close(fd);
	if (wrong == NULL)
		return 0;
	buf_printf(&why, "cannot be read: %s", wrong);
	(void)refuse(reading, file, buf_bytes(&why).data);
	buf_free(&why);
	return -1;
}

static int
read_material(const struct reading *reading, struct tls_material *material)
{
	const struct named_file certificate = certificate_file(reading),
	    key = key_file(reading), client_ca = client_ca_file(reading);
	mode_t mode = 0, any = 0;
	int result;

	result = read_file(reading, &certificate, &material->certificate,
	    &mode);
	if (*reading->setting->key != '\0' &&
	    read_file(reading, &key, &material->key, &mode) == -1)
		result = -1;
	if (*client_ca.path != '\0' &&
	    read_file(reading, &client_ca, &material->client_ca, &any) == -1)
		result = -1;
	if (result == 0 && (mode & S_IROTH) != 0)
		warn(reading, &key, "holds a private key and can be read by "
				    "everybody; chmod 600 it");
	return result;
}

/* What they say ---------------------------------------------------------- */

static int
tell_fault(const struct reading *reading, const struct tls_fault *fault)
{
	struct named_file file;

	switch (fault->part) {
	case TLS_CERTIFICATE:
		file = certificate_file(reading);
		break;
	case TLS_KEY:
		file = key_file(reading);
		break;
	case TLS_CLIENT_CA:
		file = client_ca_file(reading);
		break;
	case TLS_CIPHERS:
		file = (struct named_file){ "registration.tls_ciphers",
			reading->setting->ciphers,
			reading->setting->ciphers_where };
		break;
	}
	return refuse(reading, &file, fault->text);
}

static void
check_dates(const struct reading *reading,
    const struct tls_certificate *certificate)
{
	const struct named_file file = certificate_file(reading);
	int64_t now_wall_ms = clock_wall_ms();
	char date[CLOCK_RFC3339_SIZE];
	struct buf what = { 0 };

	if (certificate->not_after_wall_ms < now_wall_ms) {
		clock_format_rfc3339(certificate->not_after_wall_ms, date);
		buf_printf(&what, "expired at %s; clients refuse it", date);
	} else if (certificate->not_before_wall_ms > now_wall_ms) {
		clock_format_rfc3339(certificate->not_before_wall_ms, date);
		buf_printf(&what, "is not valid before %s; clients refuse it",
		    date);
	}
	if (what.len > 0)
		warn(reading, &file, what.data);
	buf_free(&what);
}

static int
check_material(const struct reading *reading,
    const struct tls_material *material)
{
	struct tls_context *context;
	struct tls_fault fault;

	if (tls_context_new(material, reading->setting, &context, &fault) ==
	    -1)
		return tell_fault(reading, &fault);
	check_dates(reading, tls_context_certificate(context));
	tls_context_free(&context);
	return 0;
}

int
certificates_read(const struct settings *settings, const char *conf_path,
    struct buf *lines, int *fd_r)
{
	const struct reading reading = { &settings->registration.tls,
		conf_path, lines };
	struct tls_material material = { 0 };
	int result = 0;

	*fd_r = -1;
	if (settings->registration.tls.listen.count == 0)
		return 0;
	if (read_material(&reading, &material) == -1 ||
	    check_material(&reading, &material) == -1)
		result = -1;
	else if ((*fd_r = tls_material_seal(&material)) == -1) {
		begin_line(&reading, "");
		buf_printf(lines, "certificates for roles: %s\n",
		    strerror(errno));
		result = -1;
	}
	tls_material_clear(&material);
	return result;
}

bool
certificates_differ(int old_fd, int new_fd)
{
	struct tls_material old = { 0 }, new = { 0 };
	bool is_same;

	if (old_fd == -1 || new_fd == -1)
		return old_fd != new_fd;
	is_same = tls_material_read(old_fd, &old) == 0 &&
	    tls_material_read(new_fd, &new) == 0 &&
	    tls_material_is_equal(&old, &new);
	tls_material_clear(&old);
	tls_material_clear(&new);
	return !is_same;
}
