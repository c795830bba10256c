/*
 * healthd/target.c - one backend under watch.
 */
/* SPDX-License-Identifier: ISC */
#include "healthd/target.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/un.h>

/* Sets the address when the host is one; a name is left to the resolver. */
static void
set_address(struct target *target)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&target->address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&target->address;
	struct sockaddr_un *local = (struct sockaddr_un *)&target->address;
	size_t len = strlen(target->host);

	if (target->kind == BACKEND_UNIX) {
		if (len >= sizeof(local->sun_path))
			len = sizeof(local->sun_path) - 1;
		local->sun_family = AF_UNIX;
		memcpy(local->sun_path, target->host, len);
		target->address_len = (socklen_t)(len + 1 +
		    offsetof(struct sockaddr_un, sun_path));
	} else if (inet_pton(AF_INET, target->host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(target->port);
		target->address_len = sizeof(*v4);
	} else if (inet_pton(AF_INET6, target->host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(target->port);
		target->address_len = sizeof(*v6);
	}
}

struct target *
target_new(const struct backend_copy *copy, const struct probe_spec *probe)
{
	struct target *target = calloc(1, sizeof(*target));

	if (target == NULL)
		return NULL;
	target->slot = copy->slot;
	target->generation = copy->generation;
	target->id = copy->spec.id;
	target->kind = copy->spec.kind;
	target->port = copy->spec.port;
	target->host = bytes_duplicate(copy->spec.host);
	target->base_path = bytes_duplicate(copy->spec.base_path);
	if (target->host == NULL || target->base_path == NULL ||
	    target_set_probe(target, probe) == -1) {
		target_free(&target);
		return NULL;
	}
	set_address(target);
	return target;
}

void
target_free(struct target **p)
{
	struct target *target = *p;

	*p = NULL;
	free(target->host);
	free(target->base_path);
	free(target->path);
	free(target->host_field);
	breaker_free(&target->breaker);
	free(target);
}

bool
target_is(const struct target *target, const struct backend_copy *copy)
{
	return target->generation == copy->generation &&
	    target->id == copy->spec.id && target->kind == copy->spec.kind &&
	    target->port == copy->spec.port &&
	    bytes_is(copy->spec.host, target->host) &&
	    bytes_is(copy->spec.base_path, target->base_path);
}

static bool
probes_equal(const struct probe_spec *a, const struct probe_spec *b)
{
	return a->kind == b->kind && a->interval_ms == b->interval_ms &&
	    a->timeout_ms == b->timeout_ms && a->rise == b->rise &&
	    a->fall == b->fall && a->status_min == b->status_min &&
	    a->status_max == b->status_max && bytes_equal(a->path, b->path) &&
	    bytes_equal(a->host, b->host);
}

int
target_set_probe(struct target *target, const struct probe_spec *probe)
{
	char *path, *host_field;

	if (target->path != NULL && probes_equal(&target->spec, probe))
		return 0;
	path = bytes_duplicate(probe->path);
	host_field = bytes_duplicate(probe->host);
	if (path == NULL || host_field == NULL) {
		free(path);
		free(host_field);
		return -1;
	}
	free(target->path);
	free(target->host_field);
	target->path = path;
	target->host_field = host_field;
	target->spec = *probe;
	target->spec.path = bytes_of(path);
	target->spec.host = bytes_of(host_field);
	return 1;
}

struct probe_spec
target_effective_probe(const struct target *target,
    const struct settings *settings)
{
	struct probe_spec spec = target->spec;

	if (spec.interval_ms == 0)
		spec.interval_ms = (uint32_t)settings->health.interval_ms;
	if (spec.timeout_ms == 0)
		spec.timeout_ms = (uint32_t)settings->health.timeout_ms;
	if (spec.rise == 0)
		spec.rise = (uint16_t)settings->health.rise;
	if (spec.fall == 0)
		spec.fall = (uint16_t)settings->health.fall;
	if (spec.status_min == 0)
		spec.status_min = 200;
	if (spec.status_max == 0)
		spec.status_max = 399;
	return spec;
}

void
target_print_authority(const struct target *target, struct buf *buf)
{
	bool is_v6 = strchr(target->host, ':') != NULL;

	if (target->kind == BACKEND_UNIX) {
		buf_append_text(buf, "localhost");
		return;
	}
	buf_printf(buf, is_v6 ? "[%s]" : "%s", target->host);
	if (target->port != 80)
		buf_printf(buf, ":%u", target->port);
}
