/*
 * registryd/news.h - what happens, told to whoever wants to hear it.
 *
 * One bus in registryd: sessions that subscribed get EVENT lines, the
 * admin API's /v1/events the same as server-sent events.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_NEWS_H
#define REGISTRYD_NEWS_H

#include <stdint.h>
#include <sys/queue.h>

#include "common/buf.h"
#include "common/compat.h"

enum news_type {
	NEWS_BACKEND_HEALTH,
	NEWS_CIRCUIT,
	NEWS_DRAIN,
	NEWS_CONFIG,
	NEWS_CERT,
	NEWS_COUNT
};

#define NEWS_ALL ((1u << NEWS_COUNT) - 1)

struct news {
	enum news_type type;
	uint64_t backend_id;		/* whom it is about; 0: everybody */
	struct bytes json;		/* '|' as \u007c; no line end */
};

struct news_listener {
	LIST_ENTRY(news_listener) of_bus;
	void (*hear)(void *context, const struct news *);
	void *context;
};

struct news_bus {
	LIST_HEAD(, news_listener) listeners;
};

/* "backend_health_changed", ... */
const char *news_type_name(enum news_type);
/* The bits that a type, or "all", means; 0: no such type. */
uint32_t news_type_bits(struct bytes name);

void news_bus_init(struct news_bus *);
void news_listen(struct news_bus *, struct news_listener *);
void news_leave(struct news_listener *);
/* A listener may leave while it hears. */
void news_tell(struct news_bus *, const struct news *);

#endif
