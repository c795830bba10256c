/*
 * registryd/condition_json.h - maintenance and drain as the API shows them.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_CONDITION_JSON_H
#define REGISTRYD_CONDITION_JSON_H

#include "common/arena.h"
#include "common/json.h"
#include "registryd/control.h"
#include "registryd/store/object.h"

/* null where it is not ordered. */
void maintenance_write(struct json_writer *, const struct condition *);
void drain_write(struct json_writer *, const struct condition *);

/* The body of a PUT of one or the other; texts are allocated in the arena.
 * 0, or -1 with *problem. */
MUST_CHECK int maintenance_read(struct bytes json, struct arena *,
    struct control_order *, struct problem *);
MUST_CHECK int drain_read(struct bytes json, struct arena *,
    struct control_order *, struct problem *);

#endif
