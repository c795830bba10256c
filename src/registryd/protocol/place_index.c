/*
 * registryd/protocol/place_index.c - who wants which place.
 *
 * Made once a write, of all sessions of the service, so that a session
 * with many routes costs as many steps and not their square.
 */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "registryd/protocol/place.h"
#include "registryd/protocol/protocol.h"
#include "shm/route_hash.h"

static uint32_t
bucket_of(const struct place_index *index, const char *host,
    const char *prefix)
{
	uint32_t of_host = route_hash(0, 0, host, strlen(host));

	return route_hash(0, of_host, prefix, strlen(prefix)) &
	    (index->bucket_count - 1);
}

static int
add_member(struct place_index *index, struct place_member member)
{
	uint32_t size = index->size == 0 ? 64 : 2 * index->size;
	struct place_member *longer;

	if (index->count == index->size) {
		longer = realloc(index->list, size * sizeof(*longer));
		if (longer == NULL)
			return -1;
		index->list = longer;
		index->size = size;
	}
	index->list[index->count++] = member;
	return 0;
}

/* Whether an earlier domain of the route is the same host. */
static bool
is_repeated(const struct session_route *route, uint32_t domain)
{
	for (uint32_t i = 0; i < domain; i++)
		if (route->hosts[i] != NULL &&
		    strcmp(route->hosts[i], route->hosts[domain]) == 0)
			return true;
	return false;
}

static int
add_route(struct place_index *index, struct place_member member)
{
	const struct session_route *route = member.route;

	for (uint32_t i = 0; route->prefix != NULL &&
	    i < route->domain_count; i++) {
		member.host = route->hosts[i];
		if (member.host != NULL && !is_repeated(route, i) &&
		    add_member(index, member) == -1)
			return -1;
	}
	return 0;
}

static int
add_session(struct place_plan *plan, const struct session *session)
{
	bool is_own = session == plan->session;
	const struct session_config *config = is_own ? plan->config :
						       &session->active;

	for (uint32_t i = 0; config != NULL && i < config->count; i++) {
		const struct place_member member = { session, config,
			config->routes[i],
			is_own ? plan->is_disabled : session->is_disabled,
			NULL, 0 };

		if (add_route(&plan->index, member) == -1)
			return -1;
	}
	return 0;
}

static int
make_buckets(struct place_index *index)
{
	index->bucket_count = 1;
	while (index->bucket_count < index->count)
		index->bucket_count *= 2;
	index->buckets = calloc(index->bucket_count, sizeof(*index->buckets));
	if (index->buckets == NULL)
		return -1;
	for (uint32_t i = index->count; i > 0; i--) {
		struct place_member *member = &index->list[i - 1];
		uint32_t *bucket = &index->buckets[bucket_of(index,
		    member->host, member->route->prefix)];

		member->next = *bucket;
		*bucket = i;
	}
	return 0;
}

int
place_index_make(struct place_plan *plan)
{
	const struct session *session;

	TAILQ_FOREACH(session, &plan->protocol->sessions, of_all)
		if (strcmp(session->service, plan->session->service) == 0 &&
		    add_session(plan, session) == -1)
			return -1;
	return make_buckets(&plan->index);
}

void
place_index_clear(struct place_index *index)
{
	free(index->list);
	free(index->buckets);
	*index = (struct place_index){ 0 };
}

const struct place_member *
place_index_next(const struct place_index *index, const struct place *place,
    const struct place_member *member)
{
	uint32_t next = member != NULL ? member->next :
	    index->buckets[bucket_of(index, place->host, place->prefix)];

	for (; next != 0; next = index->list[next - 1].next) {
		member = &index->list[next - 1];
		if (strcmp(member->host, place->host) == 0 &&
		    strcmp(member->route->prefix, place->prefix) == 0)
			return member;
	}
	return NULL;
}
