/*
 * registryd/object_json.h - services, backends and routes as JSON.
 *
 * Pure: no model, no clock, no I/O; any thread.  Reading checks all that
 * can be said of an object by itself; whether it fits the others is the
 * model's business (registryd/model_check.h).
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_OBJECT_JSON_H
#define REGISTRYD_OBJECT_JSON_H

#include "common/json.h"
#include "registryd/member.h"
#include "registryd/problem.h"
#include "registryd/store/object.h"
#include "registryd/store/store.h"

#define ROUTE_DOMAINS_MAX  64
#define ROUTE_PREFIXES_MAX 256

/* The rows, for /openapi.json and tests. */
const struct members *members_of_service(void);
const struct members *members_of_probe(void);
const struct members *members_of_breaker(void);
const struct members *members_of_rate_limit(void);
const struct members *members_of_backend(void);
const struct members *members_of_route(void);

/* All defaults, all strings "".  On -1 the object is cleared. */
MUST_CHECK int service_init(struct service *, struct problem *);
MUST_CHECK int backend_init(struct backend *, struct problem *);
MUST_CHECK int route_init(struct route *, struct problem *);

/*
 * Reads JSON into an object that holds what the JSON does not name:
 * defaults (POST, PUT), or the present state (PATCH, is_merge).  The
 * object stays the caller's to clear, also when -1 with *problem set.
 */
MUST_CHECK int service_read(struct bytes json, bool is_merge,
    struct service *, struct problem *);
MUST_CHECK int backend_read(struct bytes json, bool is_merge,
    struct backend *, struct problem *);
MUST_CHECK int route_read(struct bytes json, bool is_merge, struct route *,
    struct problem *);

/* Checks what was filled in by other means than JSON, and makes domains
 * and prefixes canonical and unique. */
MUST_CHECK int service_check(const struct service *, struct problem *);
MUST_CHECK int backend_check(const struct backend *, struct problem *);
MUST_CHECK int route_check(struct route *, struct problem *);

/* 0, or -1 with *problem: not usable as the name of a service. */
MUST_CHECK int service_name_check(const char *name, const char *pointer,
    struct problem *);

void service_write(struct json_writer *, const struct service *);
void backend_write(struct json_writer *, const struct backend *);
void route_write(struct json_writer *, const struct route *);

/* The store_describe_fn of registryd. */
char *change_describe(const struct store_change *);

/* The object as text, malloc()ed; NULL when out of memory. */
char *service_text(const struct service *);
char *backend_text(const struct backend *);
char *route_text(const struct route *);

/* NULL, or why there is no edit of such a header; value may be NULL. */
const char *header_edit_fault(const char *name, const char *value);

/* Adds an element; 0 or -1 when out of memory. */
MUST_CHECK int route_add_domain(struct route *, struct bytes);
MUST_CHECK int route_add_prefix(struct route *, struct bytes);

#endif
