/*
 * registryd/store/lists.h - a route's lists as the JSON that the columns hold.
 *
 * domains, prefixes  ["a", "b"]
 * targets            [["service", weight], ...], in order
 * headers            [{"op", "of", "name", "value"}, ...]
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_LISTS_H
#define REGISTRYD_STORE_LISTS_H

#include "common/buf.h"
#include "registryd/store/object.h"

/* Each empties the text first.  0, or -1 when out of memory. */
MUST_CHECK int texts_write(struct buf *, char *const *texts, uint32_t count);
MUST_CHECK int targets_write(struct buf *, const struct route_target_name *,
    uint32_t count);
MUST_CHECK int headers_write(struct buf *, const struct header_edit *,
    uint32_t count);

/* 0, or -1: out of memory, or not such a list.  What was read so far is in
 * the out-parameters, for route_clear(). */
MUST_CHECK int texts_read(const char *json, char ***texts_r,
    uint32_t *count_r);
MUST_CHECK int targets_read(const char *json,
    struct route_target_name targets_r[TABLE_TARGETS_MAX], uint32_t *count_r);
MUST_CHECK int headers_read(const char *json, struct header_edit **headers_r,
    uint32_t *count_r);

#endif
