/*
 * ctl/names.h - what people call an object that the API shows.
 */
/* SPDX-License-Identifier: ISC */
#ifndef CTL_NAMES_H
#define CTL_NAMES_H

#include "common/buf.h"
#include "common/json.h"

/* A route: its label; without one, the first of its paths: "a.test/x". */
void name_route(const struct json_doc *, int route, struct buf *text);

/* What a row of history is about, as it is after or was before: a service's
 * name, a backend's service and URL, a route as above. */
void name_change(const struct json_doc *, int change, struct buf *text);

#endif
