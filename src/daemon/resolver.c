/*
 * daemon/resolver.c - host names to addresses, without blocking (c-ares).
 *
 * A question can not be taken back: a name that is released while one is
 * out is freed by its answer.
 */
/* SPDX-License-Identifier: ISC */
#include "daemon/resolver.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/log.h"
#include "daemon/ares_loop.h"

#define TTL_MIN_S	1
#define TTL_MAX_S	60
#define PAUSE_MAX_S	30
#define NAME_BUCKETS	1024		/* a power of two */

struct resolver_wait {
	LIST_ENTRY(resolver_wait) link;
	resolver_fn *fn;
	void *context;
};

struct resolver_name {
	LIST_ENTRY(resolver_name) link;	/* of its bucket, unless orphaned */
	LIST_HEAD(, resolver_wait) waits;
	struct resolver *resolver;
	char *host;			/* lower case */
	uint32_t references;		/* 0: an orphan */
	uint32_t pause_s;		/* after the next failure */
	bool is_asked;			/* a question is out */
	bool is_literal;		/* an address: nothing to ask */
	ev_timer refresh;
	struct resolver_answer answer;
};

struct resolver {
	struct ev_loop *loop;
	struct ares_loop ares;
	LIST_HEAD(, resolver_name) buckets[NAME_BUCKETS];
};

/* Answers ---------------------------------------------------------------- */

static int
compare_addresses(const void *a, const void *b)
{
	const struct sockaddr_storage *x = a, *y = b;

	if (x->ss_family != y->ss_family)
		return x->ss_family == AF_INET ? -1 : 1;
	return memcmp(x, y, sizeof(*x));
}

static bool
has_address(const struct resolver_answer *answer,
    const struct sockaddr_storage *address)
{
	for (uint32_t i = 0; i < answer->count; i++)
		if (compare_addresses(&answer->addresses[i], address) == 0)
			return true;
	return false;
}

static void
add_address(struct resolver_answer *answer, const struct sockaddr *address,
    size_t len)
{
	struct sockaddr_storage storage;

	if (answer->count == RESOLVER_ADDRESSES_MAX || len > sizeof(storage))
		return;
	if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
		return;
	memset(&storage, 0, sizeof(storage));
	memcpy(&storage, address, len);
	if (!has_address(answer, &storage))
		answer->addresses[answer->count++] = storage;
}

/* How long an answer is good, in seconds. */
static int
answer_ttl(const struct ares_addrinfo *info)
{
	const struct ares_addrinfo_node *node;
	const struct ares_addrinfo_cname *cname;
	int ttl = TTL_MAX_S;

	for (node = info->nodes; node != NULL; node = node->ai_next)
		if (node->ai_ttl < ttl)
			ttl = node->ai_ttl;
	for (cname = info->cnames; cname != NULL; cname = cname->next)
		if (cname->ttl < ttl)
			ttl = cname->ttl;
	return ttl < TTL_MIN_S ? TTL_MIN_S : ttl;
}

/* Takes over new addresses; returns whether they differ from the old. */
static bool
take_addresses(struct resolver_answer *answer, struct resolver_answer *fresh)
{
	size_t size = fresh->count * sizeof(fresh->addresses[0]);

	qsort(fresh->addresses, fresh->count, sizeof(fresh->addresses[0]),
	    compare_addresses);
	if (answer->count == fresh->count &&
	    memcmp(answer->addresses, fresh->addresses, size) == 0)
		return false;
	memcpy(answer->addresses, fresh->addresses, size);
	answer->count = fresh->count;
	answer->version++;
	return true;
}

static void
free_name(struct resolver_name *name)
{
	struct resolver_wait *wait;

	while ((wait = LIST_FIRST(&name->waits)) != NULL) {
		LIST_REMOVE(wait, link);
		free(wait);
	}
	ev_timer_stop(name->resolver->loop, &name->refresh);
	free(name->host);
	free(name);
}

/* Tells those who wait; any of them may release the name. */
static void
end_waits(struct resolver_name *name)
{
	struct resolver *resolver = name->resolver;
	struct resolver_wait *wait;

	name->answer.is_pending = false;
	name->references++;
	while ((wait = LIST_FIRST(&name->waits)) != NULL) {
		struct resolver_wait done = *wait;

		LIST_REMOVE(wait, link);
		free(wait);
		done.fn(done.context, &name->answer);
	}
	resolver_release(resolver, &name);
}

static void
ask_later(struct resolver_name *name, int pause_s)
{
	struct ev_loop *loop = name->resolver->loop;

	ev_timer_stop(loop, &name->refresh);
	ev_timer_set(&name->refresh, pause_s, 0);
	ev_timer_start(loop, &name->refresh);
}

static void
take_failure(struct resolver_name *name, const char *error)
{
	if (name->answer.error == NULL)
		log_warn("resolver: %s: %s; asking again", name->host, error);
	name->answer.error = error;
	ask_later(name, (int)name->pause_s);
	name->pause_s *= 2;
	if (name->pause_s > PAUSE_MAX_S)
		name->pause_s = PAUSE_MAX_S;
}

static void
take_answer(struct resolver_name *name, const struct ares_addrinfo *info)
{
	const struct ares_addrinfo_node *node;
	struct resolver_answer fresh;

	memset(&fresh, 0, sizeof(fresh));
	for (node = info->nodes; node != NULL; node = node->ai_next)
		add_address(&fresh, node->ai_addr, node->ai_addrlen);
	if (fresh.count == 0) {
		take_failure(name, "no address");
		return;
	}
	if (take_addresses(&name->answer, &fresh))
		log_info("resolver: %s: %u addresses", name->host, fresh.count);
	else if (name->answer.error != NULL)
		log_notice("resolver: %s: answered again", name->host);
	name->answer.error = NULL;
	name->pause_s = 1;
	ask_later(name, answer_ttl(info));
}

static void
on_answer(void *context, int status, int timeouts, struct ares_addrinfo *info)
{
	struct resolver_name *name = context;

	(void)timeouts;
	name->is_asked = false;
	if (name->references == 0 || status == ARES_EDESTRUCTION) {
		if (name->references == 0)
			free_name(name);
	} else {
		if (status == ARES_SUCCESS)
			take_answer(name, info);
		else
			take_failure(name, ares_strerror(status));
		end_waits(name);
	}
	if (info != NULL)
		ares_freeaddrinfo(info);
}

static void
ask(struct resolver_name *name)
{
	const struct ares_addrinfo_hints hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = ARES_AI_NOSORT,
	};
	struct resolver *resolver = name->resolver;

	name->is_asked = true;
	ares_getaddrinfo(resolver->ares.channel, name->host, NULL, &hints,
	    on_answer, name);
	ares_loop_schedule(&resolver->ares);
}

static void
on_refresh(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	resolver_refresh(timer->data);
}

/* Names ------------------------------------------------------------------ */

/* Source: FNV-1a, 32 bits (Fowler, Noll, Vo). */
static uint32_t
bucket_of(const char *host)
{
	uint32_t hash = UINT32_C(2166136261);

	for (; *host != '\0'; host++)
		hash = (hash ^ (unsigned char)*host) * UINT32_C(16777619);
	return hash & (NAME_BUCKETS - 1);
}

/* Answers an address literal on the spot; false if it is none. */
static bool
answer_literal(struct resolver_name *name)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, name->host, &v4.sin_addr) == 1)
		add_address(&name->answer, (struct sockaddr *)&v4, sizeof(v4));
	else if (inet_pton(AF_INET6, name->host, &v6.sin6_addr) == 1)
		add_address(&name->answer, (struct sockaddr *)&v6, sizeof(v6));
	else
		return false;
	name->answer.version = 1;
	name->is_literal = true;
	return true;
}

static struct resolver_name *
new_name(struct resolver *resolver, char *host, uint32_t bucket)
{
	struct resolver_name *name = calloc(1, sizeof(*name));

	if (name == NULL)
		return NULL;
	LIST_INIT(&name->waits);
	LIST_INSERT_HEAD(&resolver->buckets[bucket], name, link);
	name->resolver = resolver;
	name->host = host;
	name->references = 1;
	name->pause_s = 1;
	ev_timer_init(&name->refresh, on_refresh, 0, 0);
	name->refresh.data = name;
	return name;
}

struct resolver_name *
resolver_hold(struct resolver *resolver, struct bytes text)
{
	struct resolver_name *name;
	char *host = bytes_duplicate(text);
	uint32_t bucket;

	if (host == NULL)
		return NULL;
	if (strlen(host) != text.len) {
		free(host);
		errno = EINVAL;
		return NULL;
	}
	for (char *c = host; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	bucket = bucket_of(host);
	LIST_FOREACH (name, &resolver->buckets[bucket], link) {
		if (strcmp(name->host, host) == 0) {
			free(host);
			name->references++;
			return name;
		}
	}
	if ((name = new_name(resolver, host, bucket)) == NULL) {
		free(host);
		return NULL;
	}
	if (!answer_literal(name)) {
		name->answer.is_pending = true;
		ask(name);
	}
	return name;
}

void
resolver_release(struct resolver *resolver, struct resolver_name **p)
{
	struct resolver_name *name = *p;

	(void)resolver;
	*p = NULL;
	if (name == NULL || --name->references > 0)
		return;
	LIST_REMOVE(name, link);
	ev_timer_stop(name->resolver->loop, &name->refresh);
	if (!name->is_asked)
		free_name(name);
}

void
resolver_refresh(struct resolver_name *name)
{
	if (name->is_asked || name->is_literal)
		return;
	ev_timer_stop(name->resolver->loop, &name->refresh);
	ask(name);
}

const struct resolver_answer *
resolver_answer(const struct resolver_name *name)
{
	return &name->answer;
}

struct resolver_wait *
resolver_wait(struct resolver_name *name, resolver_fn *fn, void *context)
{
	struct resolver_wait *wait;

	if (!name->answer.is_pending ||
	    (wait = calloc(1, sizeof(*wait))) == NULL) {
		fn(context, &name->answer);
		return NULL;
	}
	wait->fn = fn;
	wait->context = context;
	LIST_INSERT_HEAD(&name->waits, wait, link);
	return wait;
}

void
resolver_cancel(struct resolver_wait **p)
{
	struct resolver_wait *wait = *p;

	*p = NULL;
	if (wait == NULL)
		return;
	LIST_REMOVE(wait, link);
	free(wait);
}

/* The resolver ----------------------------------------------------------- */

struct resolver *
resolver_new(struct ev_loop *loop)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));

	if (resolver == NULL || ares_loop_init(&resolver->ares, loop) == -1) {
		free(resolver);
		return NULL;
	}
	resolver->loop = loop;
	for (size_t i = 0; i < NAME_BUCKETS; i++)
		LIST_INIT(&resolver->buckets[i]);
	return resolver;
}

int
resolver_set_servers(struct resolver *resolver, const char *servers)
{
	return ares_set_servers_ports_csv(resolver->ares.channel, servers) ==
	    ARES_SUCCESS ? 0 : -1;
}

void
resolver_free(struct resolver **p)
{
	struct resolver *resolver = *p;
	struct resolver_name *name;

	*p = NULL;
	if (resolver == NULL)
		return;
	ares_loop_clear(&resolver->ares);
	for (size_t i = 0; i < NAME_BUCKETS; i++) {
		while ((name = LIST_FIRST(&resolver->buckets[i])) != NULL) {
			LIST_REMOVE(name, link);
			free_name(name);
		}
	}
	free(resolver);
}
