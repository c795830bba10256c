/*
 * registryd/store/pg_address.c - where the server of a URL is, unblocking.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/pg_address.h"

#include <libpq-fe.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "daemon/resolver.h"

struct pg_address {
	char *host;			/* NULL: nothing to resolve */
	struct resolver *resolver;
	struct resolver_name *name;
	struct resolver_wait *wait;
	bool is_asking;
	pg_address_fn *answer;
	void *context;
};

/* The one host name of a URL, malloc()ed; NULL when there is no such. */
static char *
find_host(const char *url)
{
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	const char *found = NULL;
	char *host = NULL;

	if (options == NULL)
		return NULL;		/* libpq will say what is wrong */
	for (PQconninfoOption *option = options; option->keyword != NULL;
	    option++) {
		if (option->val == NULL || option->val[0] == '\0')
			continue;
		if (strcmp(option->keyword, "host") == 0 && found == NULL)
			found = option->val;
		if (strcmp(option->keyword, "hostaddr") == 0)
			found = "";
	}
	if (found != NULL && found[0] != '\0' && found[0] != '/' &&
	    found[0] != '@' && strchr(found, ',') == NULL)
		host = strdup(found);
	PQconninfoFree(options);
	return host;
}

struct pg_address *
pg_address_new(struct ev_loop *loop, const char *url, pg_address_fn *answer,
    void *context)
{
	struct pg_address *address = calloc(1, sizeof(*address));

	if (address == NULL)
		return NULL;
	address->answer = answer;
	address->context = context;
	if ((address->host = find_host(url)) == NULL)
		return address;
	if ((address->resolver = resolver_new(loop)) == NULL ||
	    (address->name = resolver_hold(address->resolver,
		bytes_of(address->host))) == NULL)
		pg_address_free(&address);
	return address;
}

void
pg_address_free(struct pg_address **p)
{
	struct pg_address *address = *p;

	*p = NULL;
	if (address == NULL)
		return;
	if (address->wait != NULL)
		resolver_cancel(&address->wait);
	if (address->name != NULL)
		resolver_release(address->resolver, &address->name);
	if (address->resolver != NULL)
		resolver_free(&address->resolver);
	free(address->host);
	free(address);
}

static void
add_address(struct buf *hosts, struct buf *addresses, const char *host,
    const struct sockaddr_storage *address)
{
	char text[NI_MAXHOST];

	if (getnameinfo((const struct sockaddr *)address, sizeof(*address),
		text, sizeof(text), NULL, 0, NI_NUMERICHOST) != 0)
		return;
	if (hosts->len > 0) {
		buf_append_char(hosts, ',');
		buf_append_char(addresses, ',');
	}
	buf_append_text(hosts, host);
	buf_append_text(addresses, text);
}

static void
on_answer(void *context, const struct resolver_answer *answer)
{
	struct pg_address *address = context;
	struct buf hosts = { 0 }, addresses = { 0 };
	char error[200];

	address->wait = NULL;
	address->is_asking = false;
	for (uint32_t i = 0; i < answer->count; i++)
		add_address(&hosts, &addresses, address->host,
		    &answer->addresses[i]);
	if (hosts.len > 0 && !hosts.is_failed && !addresses.is_failed) {
		address->answer(address->context, hosts.data, addresses.data,
		    NULL);
	} else {
		snprintf(error, sizeof(error), "%.100s: %s", address->host,
		    answer->error != NULL ? answer->error : "no address");
		address->answer(address->context, NULL, NULL, error);
	}
	buf_free(&hosts);
	buf_free(&addresses);
}

void
pg_address_ask(struct pg_address *address)
{
	struct resolver_wait *wait;

	if (address->is_asking)
		return;
	if (address->host == NULL) {
		address->answer(address->context, NULL, NULL, NULL);
		return;
	}
	address->is_asking = true;
	wait = resolver_wait(address->name, on_answer, address);
	if (address->is_asking)
		address->wait = wait;
}

char *
pg_target(const char *url)
{
	static const char *const names[] = { "host", "hostaddr", "port",
		"dbname" };
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	struct buf target = { 0 };

	buf_append_text(&target, "postgres");
	for (PQconninfoOption *option = options;
	    option != NULL && option->keyword != NULL; option++)
		for (size_t i = 0; i < COUNT_OF(names); i++)
			if (option->val != NULL &&
			    strcmp(option->keyword, names[i]) == 0)
				buf_printf(&target, " %s=%s", names[i],
				    option->val);
	PQconninfoFree(options);
	if (!target.is_failed)
		return target.data;
	buf_free(&target);
	return NULL;
}
