/*
 * master/bind.c - one listening socket.
 *
 * TCP_NODELAY is set here, since on Linux accepted sockets inherit it.
 */
/* SPDX-License-Identifier: ISC */
#include "master/bind.h"

#include <sys/stat.h>

#include <errno.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int
fail_closing(int fd)
{
	int err = errno;

	close(fd);
	errno = err;
	return -1;
}

static const char *
resolve_unix(const struct listen_address *listen, const char *dir,
    struct bind_target *target)
{
	struct sockaddr_un *local = &target->address.local;
	bool is_relative = listen->host.len > 0 && listen->host.data[0] != '/';
	int len;

	local->sun_family = AF_UNIX;
	len = snprintf(local->sun_path, sizeof(local->sun_path), "%s%s%.*s",
	    is_relative ? dir : "", is_relative ? "/" : "",
	    BYTES_ARGS(listen->host));
	if (len <= 0 || (size_t)len >= sizeof(local->sun_path))
		return "the path of a unix socket has 1 to 107 bytes";
	target->len = sizeof(*local);
	return NULL;
}

static bool
has_ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return false;
	close(fd);
	return true;
}

static const char *
resolve_tcp(const struct listen_address *listen, struct bind_target *target)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM,
	};
	bool is_any = listen->host.len == 0 || bytes_is(listen->host, "*");
	struct addrinfo *found;
	char host[64], port[8];

	if (is_any)
		snprintf(host, sizeof(host), "%s",
		    has_ipv6() ? "::" : "0.0.0.0");
	else if ((size_t)snprintf(host, sizeof(host), "%.*s",
		     BYTES_ARGS(listen->host)) >= sizeof(host))
		return "not an IP address";
	snprintf(port, sizeof(port), "%u", listen->port);
	if (getaddrinfo(host, port, &hints, &found) != 0)
		return "not an IP address";
	memcpy(&target->address, found->ai_addr, found->ai_addrlen);
	target->len = found->ai_addrlen;
	target->is_dual = is_any;
	freeaddrinfo(found);
	return NULL;
}

const char *
bind_resolve(const struct listen_address *listen, const char *dir,
    struct bind_target *target_r)
{
	memset(target_r, 0, sizeof(*target_r));
	return listen->is_unix ? resolve_unix(listen, dir, target_r)
			       : resolve_tcp(listen, target_r);
}

/* A socket that is bound, and no more. */
static int
bound_socket(const struct bind_target *target, bool is_shared)
{
	int fd = socket(target->address.base.sa_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, only_v6 = !target->is_dual;

	if (fd == -1)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    (is_shared &&
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on,
		sizeof(on)) == -1))
		return fail_closing(fd);
	if (target->address.base.sa_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6,
		sizeof(only_v6)) == -1)
		return fail_closing(fd);
	if (bind(fd, &target->address.base, target->len) == -1)
		return fail_closing(fd);
	return fd;
}

int
bind_probe(const struct bind_target *target)
{
	int fd = bound_socket(target, false);

	if (fd == -1)
		return -1;
	close(fd);
	return 0;
}

int
bind_tcp(struct bind_target *target, bool is_shared, uint32_t backlog)
{
	int fd = bound_socket(target, is_shared), on = 1;

	if (fd == -1)
		return -1;
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == -1 ||
	    listen(fd, (int)backlog) == -1 ||
	    getsockname(fd, &target->address.base, &target->len) == -1)
		return fail_closing(fd);
	return fd;
}

int
bind_steer(int fd, uint32_t slots)
{
	struct sock_filter code[] = {
		/* A = a random number; return A % slots */
		{ BPF_LD | BPF_W | BPF_ABS, 0, 0,
		  (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM) },
		{ BPF_ALU | BPF_MOD | BPF_K, 0, 0, slots },
		{ BPF_RET | BPF_A, 0, 0, 0 },
	};
	const struct sock_fprog program = {
		.len = sizeof(code) / sizeof(code[0]), .filter = code
	};
	int unused = 0;

	if (slots > 0)
		return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF,
		    &program, sizeof(program));
	if (setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &unused,
		sizeof(unused)) == -1 && errno != ENOENT)
		return -1;
	return 0;
}

/* Removes a socket whose owner is gone.  0, or -1 with errno. */
static int
remove_stale(const struct bind_target *target)
{
	const char *path = target->address.local.sun_path;
	struct stat st;
	int fd;

	if (lstat(path, &st) == -1)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(st.st_mode)) {
		errno = EEXIST;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, &target->address.base, target->len) == 0 ||
	    errno != ECONNREFUSED) {
		errno = EADDRINUSE;
		return fail_closing(fd);
	}
	close(fd);
	return unlink(path);
}

int
bind_unix(const struct bind_target *target, gid_t gid, uint32_t backlog)
{
	const char *path = target->address.local.sun_path;
	int fd;

	if (remove_stale(target) == -1)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	/* nobody can connect before listen(), so the mode is in time */
	if (bind(fd, &target->address.base, target->len) == -1 ||
	    chmod(path, 0660) == -1 ||
	    (gid != (gid_t)-1 && lchown(path, (uid_t)-1, gid) == -1) ||
	    listen(fd, (int)backlog) == -1)
		return fail_closing(fd);
	return fd;
}
