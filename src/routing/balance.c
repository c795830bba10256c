/*
 * routing/balance.c - one of several backends, by the service's policy.
 */
/* SPDX-License-Identifier: ISC */
#include "routing/balance.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "routing/standing.h"

static uint32_t
in_flight(const struct balance *balance, const struct candidate *candidate)
{
	const struct router_config *config = balance->config;

	if (config->in_flight == NULL)
		return 0;
	return config->in_flight(config->context, candidate->backend->slot,
	    candidate->backend->spec.id);
}

/* Below 0 when a has less to do for its weight than b. */
static int
compare_load(uint32_t load_a, int64_t weight_a, uint32_t load_b,
    int64_t weight_b)
{
	/* At most 2^32 * 2^32 each. */
	uint64_t a = (uint64_t)load_a * (uint64_t)weight_b;
	uint64_t b = (uint64_t)load_b * (uint64_t)weight_a;

	return a < b ? -1 : a > b;
}

/* See routing/turns.h; the turn is kept with the backend. */
static struct routed_backend *
round_robin(const struct balance *balance)
{
	struct routed_backend *best = NULL;
	int64_t sum = 0;

	for (uint32_t i = 0; i < balance->count; i++) {
		struct routed_backend *backend = balance->candidates[i].backend;

		backend->smooth_weight += balance->candidates[i].weight;
		sum += balance->candidates[i].weight;
		if (best == NULL ||
		    backend->smooth_weight > best->smooth_weight)
			best = backend;
	}
	best->smooth_weight -= sum;
	return best;
}

/* Those that have as little to do as the least take turns. */
static struct routed_backend *
least_connections(const struct balance *balance)
{
	struct candidate *candidates = balance->candidates;
	struct balance ties = *balance;
	uint32_t least = 0;

	ties.count = 0;
	for (uint32_t i = 0; i < balance->count; i++) {
		uint32_t load = in_flight(balance, &candidates[i]);
		int order = ties.count == 0 ? 0 :
		    compare_load(load, candidates[i].weight, least,
		    candidates[0].weight);

		if (order > 0)
			continue;
		if (order < 0 || ties.count == 0) {
			ties.count = 0;
			least = load;
		}
		candidates[ties.count++] = candidates[i];
	}
	return round_robin(&ties);
}

/* One at random, as likely as its weight says. */
static struct candidate *
draw(const struct balance *balance, int64_t weight_sum)
{
	uint64_t random = random_next(balance->random);
	int64_t point = (int64_t)(random % (uint64_t)weight_sum);
	struct candidate *candidate = balance->candidates;

	while (point >= candidate->weight)
		point -= candidate++->weight;
	return candidate;
}

/* Source: Mitzenmacher, "The power of two choices in randomized load
 * balancing", IEEE TPDS 2001. */
static struct routed_backend *
two_choices(const struct balance *balance)
{
	struct candidate *first, *second;
	int64_t weight_sum = 0;

	for (uint32_t i = 0; i < balance->count; i++)
		weight_sum += balance->candidates[i].weight;
	first = draw(balance, weight_sum);
	second = draw(balance, weight_sum);
	for (int tries = 0; second == first && tries < 3; tries++)
		second = draw(balance, weight_sum);
	if (compare_load(in_flight(balance, second), second->weight,
	    in_flight(balance, first), first->weight) < 0)
		return second->backend;
	return first->backend;
}

/* What the request is hashed by; a field that is missing or empty leaves
 * the client's address. */
static uint64_t
hash_key(const struct balance *balance)
{
	const struct route_query *query = balance->query;
	struct bytes value = { NULL, 0 };

	if (balance->spec->policy == BALANCE_HASH_HEADER &&
	    query->field != NULL)
		value = query->field(query->request,
		    balance->spec->hash_header);
	if (value.len > 0)
		return XXH3_64bits(value.data, value.len);
	return XXH3_64bits(&query->client, sizeof(query->client));
}

static uint64_t
mix(uint64_t z)
{
	struct random_stream stream = { z };

	return random_next(&stream);
}

/*
 * -log2(hash / 2^64), in plain arithmetic on an IEEE double: the same on
 * every machine.  The mantissa's logarithm is the series of the inverse
 * hyperbolic tangent, good to 2e-6.
 */
static double
minus_log2(uint64_t hash)
{
	double number = (double)(hash | 1), mantissa, y, yy;
	uint64_t bits;
	int exponent;

	memcpy(&bits, &number, sizeof(bits));
	exponent = (int)(bits >> 52) - 1023;
	bits = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1023) << 52;
	memcpy(&mantissa, &bits, sizeof(mantissa)); /* 1 .. 2 */
	y = (mantissa - 1) / (mantissa + 1);
	yy = y * y;
	return 64 - exponent - 2.8853900817779268 * y *
	    (1 + yy * (1. / 3 + yy * (1. / 5 + yy * (1. / 7 + yy / 9))));
}

/*
 * Rendezvous hashing with weights: each backend draws a number from key
 * and address, as if from an exponential distribution of its weight, and
 * the least wins.  Against a ring of points: nothing to build or keep,
 * shares exact instead of within some percent, and whoever goes, or
 * whose weight falls as it drains, gives up its own keys only, each for
 * good.  It looks at each backend; but so do all other policies.
 *
 * Source: Thaler, Ravishankar, "Using name-based mappings to increase hit
 * rates", IEEE/ACM ToN 1998; weights: Schindelhauer, Schomaker, SPAA 2005.
 */
static struct routed_backend *
consistent_hash(const struct balance *balance)
{
	uint64_t key = hash_key(balance);
	struct routed_backend *best = NULL;
	double best_score = 0;

	for (uint32_t i = 0; i < balance->count; i++) {
		struct candidate *candidate = &balance->candidates[i];
		uint64_t hash = mix(key ^ candidate->backend->address_hash);
		double score = minus_log2(hash) / (double)candidate->weight;

		if (best == NULL || score < best_score) {
			best = candidate->backend;
			best_score = score;
		}
	}
	return best;
}

struct routed_backend *
balance_pick(const struct balance *balance)
{
	if (balance->count == 1)
		return balance->candidates[0].backend;

	switch (balance->spec->policy) {
	case BALANCE_ROUND_ROBIN:
		return round_robin(balance);
	case BALANCE_LEAST_CONNECTIONS:
		return least_connections(balance);
	case BALANCE_TWO_CHOICES:
		return two_choices(balance);
	case BALANCE_HASH_CLIENT:
	case BALANCE_HASH_HEADER:
		return consistent_hash(balance);
	}
	return round_robin(balance);	/* a policy of a newer table */
}
