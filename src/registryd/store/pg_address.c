/*
 * registryd/store/pg_address.c - where the servers of a URL are, unblocking.
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

#define TARGETS_MAX	16
#define PLACE_TEXT_SIZE 64		/* an address, perhaps with a scope */

/* One of the URL's hosts. */
struct target {
	struct pg_address *address;
	char *host, *literal, *port;	/* "": not given */
	struct resolver_name *name;	/* NULL: nothing to resolve */
	struct resolver_wait *wait;
};

/* A place to connect to; texts are the target's, or those of text. */
struct place {
	const struct target *target;
	char text[PLACE_TEXT_SIZE];
};

struct pg_address {
	struct target targets[TARGETS_MAX];
	uint32_t count;
	struct resolver *resolver;
	uint32_t due_count;		/* answers that are awaited */
	uint32_t turn;
	pg_address_fn *answer;
	void *context;
};

/* The URL ---------------------------------------------------------------- */

/* The text between the commas; the only one stands for all. */
static char *
field_of(const char *list, uint32_t index)
{
	struct bytes rest = bytes_of(list == NULL ? "" : list), field;
	bool is_list = list != NULL && strchr(list, ',') != NULL;

	for (uint32_t i = 0; bytes_next_field(&rest, ',', &field); i++)
		if (i == index || !is_list)
			return bytes_duplicate(field);
	return strdup("");
}

static uint32_t
count_fields(const char *list)
{
	uint32_t count = 1;

	if (list == NULL || list[0] == '\0')
		return 0;
	for (; *list != '\0'; list++)
		count += *list == ',';
	return count;
}

static const char *
value_of(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword != NULL; options++)
		if (strcmp(options->keyword, keyword) == 0)
			return options->val;
	return NULL;
}

/* What is no name, libpq understands by itself. */
static bool
is_name(const struct target *target)
{
	return target->literal[0] == '\0' && target->host[0] != '\0' &&
	    target->host[0] != '/' && target->host[0] != '@';
}

static int
add_target(struct pg_address *address, const char *hosts,
    const char *literals, const char *ports)
{
	uint32_t index = address->count++;
	struct target *target = &address->targets[index];

	target->address = address;
	target->host = field_of(count_fields(hosts) > index ? hosts : NULL,
	    index);
	target->literal = field_of(
	    count_fields(literals) > index ? literals : NULL, index);
	target->port = field_of(ports, index);
	if (target->host == NULL || target->literal == NULL ||
	    target->port == NULL)
		return -1;
	if (!is_name(target))
		return 0;
	target->name = resolver_hold(address->resolver,
	    bytes_of(target->host));
	return target->name == NULL ? -1 : 0;
}

static int
read_url(struct pg_address *address, const char *url)
{
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	const char *hosts, *literals;
	uint32_t count;
	int result = 0;

	if (options == NULL)
		return 0;		/* libpq will say what is wrong */
	hosts = value_of(options, "host");
	literals = value_of(options, "hostaddr");
	count = count_fields(hosts);
	if (count_fields(literals) > count)
		count = count_fields(literals);
	for (uint32_t i = 0; i < count && i < TARGETS_MAX && result == 0; i++)
		result = add_target(address, hosts, literals,
		    value_of(options, "port"));
	PQconninfoFree(options);
	return result;
}

/* The answer ------------------------------------------------------------- */

static uint32_t
add_addresses(const struct target *target, struct place *places)
{
	const struct resolver_answer *answer;
	uint32_t count = 0;

	if (target->name == NULL) {
		places->target = target;
		snprintf(places->text, sizeof(places->text), "%s",
		    target->literal);
		return 1;
	}
	answer = resolver_answer(target->name);
	for (uint32_t i = 0; i < answer->count; i++) {
		places[count].target = target;
		if (getnameinfo(
			(const struct sockaddr *)&answer->addresses[i],
			sizeof(answer->addresses[i]), places[count].text,
			sizeof(places[count].text), NULL, 0,
			NI_NUMERICHOST) == 0)
			count++;
	}
	return count;
}

static void
tell(struct pg_address *address, const struct place *list, uint32_t count)
{
	struct buf hosts = { 0 }, addresses = { 0 }, ports = { 0 };

	for (uint32_t i = 0; i < count; i++) {
		const struct place *place =
		    &list[(address->turn + i) % count];
		const char *comma = i == 0 ? "" : ",";

		buf_printf(&hosts, "%s%s", comma, place->target->host);
		buf_printf(&addresses, "%s%s", comma, place->text);
		buf_printf(&ports, "%s%s", comma, place->target->port);
	}
	if (hosts.is_failed || addresses.is_failed || ports.is_failed)
		address->answer(address->context, NULL, "out of memory");
	else
		address->answer(address->context, &(struct pg_places){
			hosts.data, addresses.data, ports.data, count }, NULL);
	buf_free(&hosts);
	buf_free(&addresses);
	buf_free(&ports);
}

static void
tell_none(struct pg_address *address)
{
	const struct target *target = &address->targets[0];
	const struct resolver_answer *answer = resolver_answer(target->name);
	char error[200];

	snprintf(error, sizeof(error), "%.100s: %s", target->host,
	    answer->error != NULL ? answer->error : "no address");
	address->answer(address->context, NULL, error);
}

static void
tell_places(struct pg_address *address)
{
	struct place *list = calloc(TARGETS_MAX,
	    sizeof(*list) * RESOLVER_ADDRESSES_MAX);
	uint32_t count = 0;

	if (list == NULL) {
		address->answer(address->context, NULL, "out of memory");
		return;
	}
	for (uint32_t i = 0; i < address->count; i++)
		count += add_addresses(&address->targets[i], &list[count]);
	if (count > 0)
		tell(address, list, count);
	else
		tell_none(address);
	free(list);
}

static void
take_due(struct pg_address *address)
{
	if (--address->due_count == 0)
		tell_places(address);
}

static void
on_answer(void *context, const struct resolver_answer *answer)
{
	struct target *target = context;

	(void)answer;
	target->wait = NULL;
	take_due(target->address);
}

void
pg_address_ask(struct pg_address *address, uint32_t turn)
{
	if (address->due_count > 0)
		return;
	if (address->count == 0) {
		address->answer(address->context, &(struct pg_places){ 0 },
		    NULL);
		return;
	}
	address->turn = turn;
	address->due_count = 1;		/* our own, until all are asked */
	for (uint32_t i = 0; i < address->count; i++) {
		struct target *target = &address->targets[i];
		struct resolver_wait *wait;

		if (target->name == NULL)
			continue;
		address->due_count++;
		wait = resolver_wait(target->name, on_answer, target);
		if (wait != NULL)
			target->wait = wait;
	}
	take_due(address);
}

/* Life ------------------------------------------------------------------- */

struct pg_address *
pg_address_new(struct ev_loop *loop, const char *url, pg_address_fn *answer,
    void *context)
{
	struct pg_address *address = calloc(1, sizeof(*address));

	if (address == NULL)
		return NULL;
	address->answer = answer;
	address->context = context;
	if ((address->resolver = resolver_new(loop)) == NULL ||
	    read_url(address, url) == -1)
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
	for (uint32_t i = 0; i < address->count; i++) {
		struct target *target = &address->targets[i];

		if (target->wait != NULL)
			resolver_cancel(&target->wait);
		if (target->name != NULL)
			resolver_release(address->resolver, &target->name);
		free(target->host);
		free(target->literal);
		free(target->port);
	}
	if (address->resolver != NULL)
		resolver_free(&address->resolver);
	free(address);
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
