/*
 * registryd/news.c - what happens, told to whoever wants to hear it.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/news.h"

static const char *const type_names[NEWS_COUNT] = {
	[NEWS_BACKEND_HEALTH] = "backend_health_changed",
	[NEWS_CIRCUIT] = "circuit_changed",
	[NEWS_DRAIN] = "drain_finished",
	[NEWS_CONFIG] = "global_config_changed",
	[NEWS_CERT] = "cert_renewed",
};

const char *
news_type_name(enum news_type type)
{
	return type_names[type];
}

uint32_t
news_type_bits(struct bytes name)
{
	if (bytes_is(name, "all"))
		return NEWS_ALL;
	for (unsigned int i = 0; i < NEWS_COUNT; i++)
		if (bytes_is(name, type_names[i]))
			return 1u << i;
	return 0;
}

void
news_bus_init(struct news_bus *bus)
{
	LIST_INIT(&bus->listeners);
}

void
news_listen(struct news_bus *bus, struct news_listener *listener)
{
	LIST_INSERT_HEAD(&bus->listeners, listener, of_bus);
}

void
news_leave(struct news_listener *listener)
{
	LIST_REMOVE(listener, of_bus);
}

void
news_tell(struct news_bus *bus, const struct news *news)
{
	struct news_listener *listener, *next;

	for (listener = LIST_FIRST(&bus->listeners); listener != NULL;
	    listener = next) {
		next = LIST_NEXT(listener, of_bus);
		listener->hear(listener->context, news);
	}
}
