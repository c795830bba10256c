/*
 * master/trial.c - sluice -t: would it start, and find what it needs?
 */
/* SPDX-License-Identifier: ISC */
#include "master/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/buf.h"
#include "http/url.h"
#include "master/bind.h"
#include "master/certificates.h"
#include "master/pidfile.h"
#include "master/privileges.h"

/* For a database or a backend to answer a connect. */
#define TRIAL_CONNECT_MS 2000

struct trial {
	const struct settings *settings;
	const char *conf_path;
};

static void PRINTF_LIKE(3, 4)
warn_at(const struct trial *trial, const char *where, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: warning: ",
	    *where == '\0' ? trial->conf_path : where);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

#define warn(trial, ...) warn_at(trial, "", __VA_ARGS__)

/* Sockets ---------------------------------------------------------------- */

static void
try_bind(const struct trial *trial, const char *where, const char *what,
    const char *text)
{
	struct listen_address address;
	struct bind_target target;
	const char *wrong;

	if ((wrong = url_parse_listen(bytes_of(text), &address)) != NULL ||
	    (wrong = bind_resolve(&address, trial->settings->runtime_dir,
		 &target)) != NULL)
		warn_at(trial, where, "%s %s: %s", what, text, wrong);
	else if (!address.is_unix && bind_probe(&target) == -1)
		warn_at(trial, where, "%s %s: %s", what, text, strerror(errno));
}

/* A sluice that runs holds the ports by right. */
static bool
runs_already(const struct settings *settings)
{
	char path[PIDFILE_PATH_SIZE];

	pidfile_path(settings, path);
	return pidfile_owner(path) > 0;
}

static void
try_binds(const struct trial *trial)
{
	const struct settings *settings = trial->settings;

	if (runs_already(settings))
		return;
	for (uint32_t i = 0; i < settings->listen_count; i++)
		try_bind(trial, settings->listens[i].where, "listen",
		    settings->listens[i].address);
	for (uint32_t i = 0; i < settings->admin.listen.count; i++)
		try_bind(trial, "", "admin listen",
		    settings->admin.listen.list[i]);
	for (uint32_t i = 0; i < settings->registration.listen.count; i++)
		try_bind(trial, "", "registration listen",
		    settings->registration.listen.list[i]);
	for (uint32_t i = 0; i < settings->registration.tls.listen.count; i++)
		try_bind(trial, "", "registration tls_listen",
		    settings->registration.tls.listen.list[i]);
}

/* Files ------------------------------------------------------------------ */

/* Writable, or in a directory where it can be made; by the roles' user,
 * as whom trial_run() asks. */
static void
try_file(const struct trial *trial, const char *what, const char *path)
{
	char copy[4096];

	if (path[0] != '/')		/* stderr, syslog, off */
		return;
	if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0)
		return;
	snprintf(copy, sizeof(copy), "%s", path);
	if (errno == ENOENT &&
	    faccessat(AT_FDCWD, dirname(copy), W_OK | X_OK, AT_EACCESS) == 0)
		return;
	warn(trial, "%s %s: %s", what, path, strerror(errno));
}

static int
try_identity(const struct trial *trial, struct identity *identity)
{
	struct buf why = { 0 };
	int status = identity_find(trial->settings, identity, &why);

	if (status != 0)
		fprintf(stderr, "%s: %.*s\n", trial->conf_path, (int)why.len,
		    why.data);
	else if (why.len > 0)
		warn(trial, "%.*s", (int)why.len, why.data);
	buf_free(&why);
	return status;
}

static void
try_files(const struct trial *trial, const struct identity *identity)
{
	const struct settings *settings = trial->settings;

	try_file(trial, "runtime_dir", settings->runtime_dir);
	identity_enter(identity);
	try_file(trial, "state_dir", settings->state_dir);
	try_file(trial, "log.access", settings->log.access);
	try_file(trial, "log.error", settings->log.error);
	identity_leave(identity);
}

/* A sysexits status: without them it would not start. */
static int
try_certificates(const struct trial *trial)
{
	struct buf lines = { 0 };
	int fd, result;

	result = certificates_read(trial->settings, trial->conf_path, &lines,
	    &fd);
	if (lines.len > 0)
		fprintf(stderr, "%.*s", (int)lines.len, lines.data);
	buf_free(&lines);
	if (fd != -1)
		close(fd);
	return result == -1 ? EX_CONFIG : 0;
}

/* Others ----------------------------------------------------------------- */

/* Waits for a connect that was begun.  0, or an errno. */
static int
finish_connect(int fd)
{
	struct pollfd watched = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int err = 0;

	if (poll(&watched, 1, TRIAL_CONNECT_MS) != 1)
		return ETIMEDOUT;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1)
		return errno;
	return err;
}

static int
connect_to(const struct sockaddr *address, socklen_t len)
{
	int err = 0, fd;

	fd = socket(address->sa_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return errno;
	if (connect(fd, address, len) == -1)
		err = errno == EINPROGRESS ? finish_connect(fd) : errno;
	close(fd);
	return err;
}

static void
try_host(const struct trial *trial, const char *what, struct bytes host_slice,
    const char *port)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	char host[256];
	int err;

	snprintf(host, sizeof(host), "%.*s", BYTES_ARGS(host_slice));
	if ((err = getaddrinfo(host, port, &hints, &found)) != 0) {
		warn(trial, "%s: %s: %s", what, host, gai_strerror(err));
		return;
	}
	if ((err = connect_to(found->ai_addr, found->ai_addrlen)) != 0)
		warn(trial, "%s: %s:%s: %s", what, host, port, strerror(err));
	freeaddrinfo(found);
}

static void
try_unix(const struct trial *trial, const char *what, struct bytes path)
{
	const struct listen_address address = { .is_unix = true, .host = path };
	struct bind_target target;
	const char *wrong = bind_resolve(&address, "", &target);
	int err;

	if (wrong != NULL)
		warn(trial, "%s: %s", what, wrong);
	else if ((err = connect_to(&target.address.base, target.len)) != 0)
		warn(trial, "%s: %.*s: %s", what, BYTES_ARGS(path),
		    strerror(err));
}

static void
try_backend(const struct trial *trial, const char *service, const char *text)
{
	struct backend_url url;
	const char *wrong = url_parse_backend(bytes_of(text), &url);
	char what[128], port[8];

	snprintf(what, sizeof(what), "service %s: backend", service);
	if (wrong != NULL) {
		warn(trial, "%s %s: %s", what, text, wrong);
		return;
	}
	snprintf(port, sizeof(port), "%u", url.port);
	if (url.is_unix)
		try_unix(trial, what, url.host);
	else
		try_host(trial, what, url.host, port);
}

/* "postgres://user:password@host:port/name?..."; libpq is not linked here,
 * so other forms of the URL are left to registryd. */
static void
try_database(const struct trial *trial)
{
	const struct settings *settings = trial->settings;
	const char *start = strstr(settings->store.url, "://"), *at;
	struct bytes host;
	char port[8] = "5432";
	const char *colon;

	if (settings->store.driver != STORE_POSTGRES || start == NULL)
		return;
	start += 3;
	host = bytes_slice(start, strcspn(start, "/?"));
	if ((at = memrchr(host.data, '@', host.len)) != NULL)
		host = bytes_slice(at + 1,
		    host.len - (size_t)(at + 1 - host.data));
	if (host.len == 0 || host.data[0] == '[' || host.data[0] == '%')
		return;
	colon = memchr(host.data, ':', host.len);
	if (colon != NULL) {
		snprintf(port, sizeof(port), "%.*s",
		    (int)(host.data + host.len - colon - 1), colon + 1);
		host.len = (size_t)(colon - host.data);
	}
	try_host(trial, "store.url", host, port);
}

static void
try_backends(const struct trial *trial)
{
	const struct settings *settings = trial->settings;

	for (uint32_t i = 0; i < settings->service_count; i++) {
		const struct static_service *service = &settings->services[i];

		for (uint32_t k = 0; k < service->backends.count; k++)
			try_backend(trial, service->name,
			    service->backends.list[k]);
	}
}

int
trial_run(const struct settings *settings, const char *conf_path)
{
	const struct trial trial = { settings, conf_path };
	struct identity identity;
	int status = try_identity(&trial, &identity);

	if (status != 0)
		return status;
	status = try_certificates(&trial);
	try_binds(&trial);
	try_files(&trial, &identity);
	try_database(&trial);
	try_backends(&trial);
	return status;
}
