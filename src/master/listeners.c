/*
 * master/listeners.c - the sockets that clients and operators connect to.
 */
/* SPDX-License-Identifier: ISC */
#include "master/listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "http/url.h"
#include "master/bind.h"

#define ADMIN_BACKLOG	     128
#define REGISTRATION_BACKLOG 1024	/* all come back at once */

/* One that is wanted. */
struct listen_wish {
	const char *where;		/* "file:line", or "" */
	const char *what;		/* "listen", "admin listen" */
	const char *address;
	uint32_t slots, backlog;
	bool is_shared;			/* SO_REUSEPORT: more slots may come */
	bool has_orphans;		/* do not ask who else is there */
	gid_t gid;
	const char *dir;		/* of relative unix paths */
};

static int
status_of(int err)
{
	switch (err) {
	case EADDRINUSE:
	case EADDRNOTAVAIL:
		return EX_UNAVAILABLE;
	case EACCES:
	case EPERM:
		return EX_NOPERM;
	case ENOENT:
	case ENOTDIR:
	case EEXIST:
	case EROFS:
		return EX_CANTCREAT;
	}
	return EX_OSERR;
}

static int
report(struct listen_fault *fault, const struct listen_wish *wish, int status,
    const char *reason)
{
	fault->status = status;
	snprintf(fault->where, sizeof(fault->where), "%s", wish->where);
	buf_printf(&fault->text, "%s %s: %s", wish->what, wish->address,
	    reason);
	return -1;
}

static void
close_listener(struct listener *listener)
{
	for (uint32_t i = 0; i < listener->slot_count; i++)
		close(listener->fds[i]);
	free(listener->fds);
	free(listener->path);
	free(listener->address);
	*listener = (struct listener){ 0 };
}

static int
init_listener(struct listener *listener, const struct listen_wish *wish)
{
	*listener = (struct listener){ 0 };
	listener->address = strdup(wish->address);
	listener->fds = calloc(wish->slots, sizeof(*listener->fds));
	if (listener->address == NULL || listener->fds == NULL) {
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

/* Takes the sockets that a former listener has.  0, or -1 with errno. */
static int
duplicate_slots(struct listener *listener, const struct listener *former,
    uint32_t slots)
{
	uint32_t count = former->slot_count < slots ?
	    former->slot_count : slots;

	if (former->path != NULL &&
	    (listener->path = strdup(former->path)) == NULL)
		return -1;
	for (uint32_t i = 0; i < count; i++) {
		int fd = fcntl(former->fds[i], F_DUPFD_CLOEXEC, 0);

		if (fd == -1)
			return -1;
		listener->fds[listener->slot_count++] = fd;
	}
	return 0;
}

/* A unix socket is bound once and shared by all slots. */
static int
fill_unix(struct listener *listener, const struct bind_target *target,
    const struct listen_wish *wish)
{
	if (listener->slot_count == 0) {
		int fd = bind_unix(target, wish->gid, wish->backlog);

		if (fd == -1)
			return -1;
		listener->fds[listener->slot_count++] = fd;
		listener->path = strdup(target->address.local.sun_path);
		if (listener->path == NULL)
			return -1;
	}
	while (listener->slot_count < wish->slots) {
		int fd = fcntl(listener->fds[0], F_DUPFD_CLOEXEC, 0);

		if (fd == -1)
			return -1;
		listener->fds[listener->slot_count++] = fd;
	}
	return 0;
}

static int
fill_tcp(struct listener *listener, struct bind_target *target,
    const struct listen_wish *wish)
{
	if (listener->slot_count == 0) {
		if (!wish->has_orphans && bind_probe(target) == -1)
			return -1;
	} else {
		/* the port may have been the kernel's choice */
		target->len = sizeof(target->address);
		if (getsockname(listener->fds[0], &target->address.base,
			&target->len) == -1)
			return -1;
	}
	while (listener->slot_count < wish->slots) {
		int fd = bind_tcp(target, wish->is_shared, wish->backlog);

		if (fd == -1)
			return -1;
		listener->fds[listener->slot_count++] = fd;
	}
	return 0;
}

static int
open_listener(const struct listen_wish *wish, const struct listener *former,
    struct listener *listener, struct listen_fault *fault)
{
	struct listen_address parsed;
	struct bind_target target;
	const char *wrong;
	int result;

	if ((wrong = url_parse_listen(bytes_of(wish->address),
		&parsed)) != NULL ||
	    (wrong = bind_resolve(&parsed, wish->dir, &target)) != NULL)
		return report(fault, wish, EX_CONFIG, wrong);
	result = init_listener(listener, wish);
	if (result == 0 && former != NULL)
		result = duplicate_slots(listener, former, wish->slots);
	if (result == 0)
		result = parsed.is_unix ? fill_unix(listener, &target, wish)
					: fill_tcp(listener, &target, wish);
	if (result == -1) {
		int err = errno;

		close_listener(listener);
		return report(fault, wish, status_of(err), strerror(err));
	}
	return 0;
}

static const struct listener *
find_listener(const struct listeners *listeners, const char *address)
{
	if (listeners == NULL)
		return NULL;
	for (uint32_t i = 0; i < listeners->count; i++)
		if (strcmp(listeners->list[i].address, address) == 0)
			return &listeners->list[i];
	return NULL;
}

/* Adds one to a set that has room for it. */
static int
add_listener(struct listeners *listeners, const struct listen_wish *wish,
    const struct listeners *old, struct listen_fault *fault)
{
	struct listener *listener = &listeners->list[listeners->count];

	if (open_listener(wish, find_listener(old, wish->address), listener,
		fault) == -1)
		return -1;
	listeners->count++;
	return 0;
}

static int
make_room(struct listeners *listeners, uint32_t count,
    struct listen_fault *fault)
{
	*listeners = (struct listeners){ 0 };
	if ((listeners->list = calloc(count + 1, sizeof(*listeners->list))) ==
	    NULL) {
		fault->status = EX_OSERR;
		buf_append_text(&fault->text, "listen: out of memory");
		return -1;
	}
	return 0;
}

int
listeners_open_traffic(const struct settings *settings, uint32_t slots,
    bool has_orphans, const struct listeners *old,
    struct listeners *listeners_r, struct listen_fault *fault)
{
	if (make_room(listeners_r, settings->listen_count, fault) == -1)
		return -1;
	for (uint32_t i = 0; i < settings->listen_count; i++) {
		const struct listen_wish wish = {
			.where = settings->listens[i].where,
			.what = "listen",
			.address = settings->listens[i].address,
			.slots = slots,
			.is_shared = true,
			.has_orphans = has_orphans,
			.backlog = settings->listens[i].backlog,
			.gid = (gid_t)-1,
			.dir = settings->runtime_dir,
		};

		if (add_listener(listeners_r, &wish, old, fault) == -1) {
			listeners_close(listeners_r);
			return -1;
		}
	}
	return 0;
}

static int
add_all(struct listeners *listeners, const struct address_list *wanted,
    const struct listen_wish *like, struct listen_fault *fault)
{
	struct listen_wish wish = *like;

	for (uint32_t i = 0; i < wanted->count; i++) {
		wish.address = wanted->list[i];
		if (add_listener(listeners, &wish, NULL, fault) == -1)
			return -1;
	}
	return 0;
}

int
listeners_open_admin(const struct settings *settings, gid_t gid,
    struct listeners *listeners_r, struct listen_fault *fault)
{
	const struct listen_wish admin = {
		.where = "",
		.what = "admin listen",
		.slots = 1,
		.backlog = ADMIN_BACKLOG,
		.gid = gid,
		.dir = settings->runtime_dir,
	};
	const struct address_list *with_tls =
	    &settings->registration.tls.listen;
	struct listen_wish registration = admin, registration_tls;

	registration.what = "registration listen";
	registration.backlog = REGISTRATION_BACKLOG;
	registration_tls = registration;
	registration_tls.what = "registration tls_listen";
	if (make_room(listeners_r, settings->admin.listen.count +
		settings->registration.listen.count + with_tls->count,
		fault) == -1)
		return -1;
	if (add_all(listeners_r, &settings->admin.listen, &admin, fault) ==
		0 &&
	    add_all(listeners_r, &settings->registration.listen,
		&registration, fault) == 0 &&
	    add_all(listeners_r, with_tls, &registration_tls, fault) == 0)
		return 0;
	listeners_close(listeners_r);
	return -1;
}

void
listeners_steer(const struct listeners *listeners, uint32_t slots)
{
	for (uint32_t i = 0; i < listeners->count; i++) {
		const struct listener *listener = &listeners->list[i];
		bool is_fewer = slots < listener->slot_count;

		if (listener->path != NULL)
			continue;
		if (bind_steer(listener->fds[0], is_fewer ? slots : 0) == -1)
			log_debug("listen %s: steering: %m", listener->address);
	}
}

bool
listeners_match(const struct listeners *listeners,
    const struct settings *settings)
{
	if (listeners->count != settings->listen_count)
		return false;
	for (uint32_t i = 0; i < settings->listen_count; i++)
		if (strcmp(listeners->list[i].address,
			settings->listens[i].address) != 0)
			return false;
	return true;
}

void
listener_print(const struct listener *listener, char text[LISTENER_TEXT_SIZE])
{
	union bind_address address;
	socklen_t len = sizeof(address);
	char host[64], port[8];

	snprintf(text, LISTENER_TEXT_SIZE, "%s", listener->address);
	if (listener->path != NULL)
		snprintf(text, LISTENER_TEXT_SIZE, "unix:%s", listener->path);
	else if (listener->slot_count > 0 &&
	    getsockname(listener->fds[0], &address.base, &len) == 0 &&
	    getnameinfo(&address.base, len, host, sizeof(host), port,
		sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		snprintf(text, LISTENER_TEXT_SIZE,
		    address.base.sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s",
		    host, port);
}

void
listeners_close(struct listeners *listeners)
{
	for (uint32_t i = 0; i < listeners->count; i++)
		close_listener(&listeners->list[i]);
	free(listeners->list);
	*listeners = (struct listeners){ 0 };
}

void
listeners_unlink(const struct listeners *listeners)
{
	for (uint32_t i = 0; i < listeners->count; i++)
		if (listeners->list[i].path != NULL)
			unlink(listeners->list[i].path);
}
