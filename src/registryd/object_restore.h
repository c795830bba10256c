/*
 * registryd/object_restore.h - objects from the JSON that history keeps.
 *
 * The reverse of object_json.h's *_text(): also what the API only shows,
 * so far as it is not the store's to give (times, version).
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_OBJECT_RESTORE_H
#define REGISTRYD_OBJECT_RESTORE_H

#include "common/compat.h"
#include "registryd/problem.h"
#include "registryd/store/object.h"

/*
 * present is the object of that key that is there now, NULL: none; what
 * the text does not say is taken from it.  0, or -1 with *problem; the
 * object is cleared then.
 */
MUST_CHECK int service_restore(const char *text, const struct service *present,
    struct service *service_r, struct problem *);
MUST_CHECK int backend_restore(const char *text, const struct backend *present,
    struct backend *backend_r, struct problem *);
MUST_CHECK int route_restore(const char *text, const struct route *present,
    struct route *route_r, struct problem *);

#endif
