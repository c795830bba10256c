/*
 * tests/unit/registryd/world.h - objects for tests, in few words.
 */
/* SPDX-License-Identifier: ISC */
#ifndef TESTS_REGISTRYD_WORLD_H
#define TESTS_REGISTRYD_WORLD_H

#include "registryd/model.h"
#include "registryd/write_queue.h"

/* Puts into the model, as a commit would; fails the test if it cannot. */
void world_put_service(struct model *, const char *name);
void world_put_backend(struct model *, uint64_t id, const char *service,
    const char *url);
void world_put_route(struct model *, uint64_t id, const char *service,
    const char *prefix, int32_t priority);

/* A valid route, the caller's to clear. */
struct route world_route(uint64_t id, const char *service,
    const char *prefix, int32_t priority);

/* A write that nobody submits, for plans and checks. */
struct write *world_write(void);

#endif
