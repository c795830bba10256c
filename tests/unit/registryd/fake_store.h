/*
 * tests/unit/registryd/fake_store.h - a store that answers when it is told to.
 *
 * It keeps nothing: what it is asked waits until the test takes it, looks
 * at it, and answers.
 */
/* SPDX-License-Identifier: ISC */
#ifndef TESTS_REGISTRYD_FAKE_STORE_H
#define TESTS_REGISTRYD_FAKE_STORE_H

#include "registryd/registry.h"
#include "registryd/store/driver.h"

struct fake_store {
	struct store store;
	struct request_list requests;
	uint64_t generation;		/* of the latest commit */
};

/* Up, and of no generation; what uses it gets &fake->store. */
void fake_store_init(struct fake_store *, struct ev_loop *);
/* Drops what was not answered. */
void fake_store_clear(struct fake_store *);

/* The oldest request, once there is one: the loop runs until then. */
struct store_request *fake_store_take(struct fake_store *);
/* Answers: with OK a commit gets the next generation, and its objects what
 * a store gives them. */
void fake_store_answer(struct fake_store *, struct store_request *,
    enum store_result);

/* For the queue of a registry that commits to its store or keeps, and
 * publishes nothing. */
struct write_backing fake_store_backing(struct registry *);

#endif
