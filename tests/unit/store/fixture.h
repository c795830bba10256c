/*
 * tests/unit/store/fixture.h - a store on a loop of its own, asked and awaited.
 */
/* SPDX-License-Identifier: ISC */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include "registryd/store/store.h"

struct fixture {
	struct ev_loop *loop;
	struct settings settings;
	struct store *store;
	bool is_inside;			/* a call of the store is running */
	bool is_done;			/* the call was answered */
	struct store_outcome outcome;	/* message: see below */
	char message[512];
	uint32_t up_count, down_count;
	uint64_t expected_generation;	/* of commits; 0: any */
};

/* What a load brought. */
struct loaded {
	struct service *services;
	struct backend *backends;
	struct route *routes;
	size_t service_count, backend_count, route_count;
};

/* What a history query brought: rows as "generation kind key action". */
struct listed {
	char *rows;			/* a line each */
	char *latest_before, *latest_after;
	size_t count;
};

/* Makes the store; opens nothing. */
void fixture_new(struct fixture *, enum store_driver, const char *path,
    const char *url);
/* The same with another query_timeout than five seconds. */
void fixture_new_timed(struct fixture *, enum store_driver, const char *path,
    const char *url, int64_t query_timeout_ms);
void fixture_free(struct fixture *);

/* Runs the loop until the call was answered. */
void fixture_await(struct fixture *);
/* Runs the loop until the store is up, or down. */
void fixture_await_up(struct fixture *, bool is_up);

enum store_result fixture_open(struct fixture *);
enum store_result fixture_commit(struct fixture *, struct store_change *,
    uint32_t count);
enum store_result fixture_ping(struct fixture *);
enum store_result fixture_load(struct fixture *, struct loaded *loaded_r);
enum store_result fixture_history(struct fixture *,
    const struct store_history_query *, struct listed *listed_r);
/* One event of now. */
enum store_result fixture_tell(struct fixture *, const char *kind,
    const char *key, const char *action);
/* How many rows went. */
uint64_t fixture_prune(struct fixture *, const struct store_prune_order *);
struct store_extent fixture_measure(struct fixture *);
void loaded_clear(struct loaded *);
void listed_clear(struct listed *);

/* Starts a call; the answer goes to fixture->outcome. */
void fixture_start_commit(struct fixture *, struct store_change *,
    uint32_t count);

/* Objects with all their strings; the caller clears them. */
struct service make_service(const char *name);
struct backend make_backend(const char *service, const char *url);
struct route make_route(const char *service, const char *prefix);

struct store_change put_service(struct service *);
struct store_change put_backend(struct backend *);
struct store_change put_route(struct route *);

#endif
