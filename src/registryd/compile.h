/*
 * registryd/compile.h - objects of the model as the route table has them.
 *
 * Pure, but for the clock that conditions are told by.  What a spec
 * borrows is the model's, or the caller's scratch.
 * Slots of what an object names must be known (publisher.h sees to it).
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_COMPILE_H
#define REGISTRYD_COMPILE_H

#include "common/compat.h"
#include "conf/settings.h"
#include "registryd/model.h"
#include "shm/route_spec.h"

struct condition_spec compile_condition(const struct condition *);

/* 0, or -1 with EINVAL when the url is none. */
MUST_CHECK int compile_backend(const struct model_backend *,
    struct backend_spec *spec_r);

/* slots: room for backend_count of them. */
void compile_service(const struct model_service *, const struct settings *,
    uint32_t *slots, struct service_spec *spec_r);

#define ROUTE_LABEL_SIZE (TABLE_NAME_MAX + 1)

/* label: scratch, for routes without one of their own. */
void compile_route(const struct model_route *, char label[ROUTE_LABEL_SIZE],
    struct route_spec *spec_r);

/*
 * The routes of the highest priority at a path, by id, one for each
 * service; those over TABLE_SHARED_MAX are left out.  path has a route.
 */
void compile_path(const struct model_path *,
    uint32_t slots[TABLE_SHARED_MAX], struct path_spec *spec_r);

/* The same choice, as routes: how many of them are in routes_r. */
uint32_t path_winners(const struct model_path *,
    struct model_route *routes_r[TABLE_SHARED_MAX]);

struct path_key path_key_of(const struct model_path *);

#endif
