/*
 * common/quantity.h - spans of time and sizes as people write them.
 */
/* SPDX-License-Identifier: ISC */
#ifndef COMMON_QUANTITY_H
#define COMMON_QUANTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/compat.h"

/*
 * Reads a span: one or more of number + unit, largest unit first, units
 * ms s m h d: "30s", "100ms", "1h30m".  A bare whole number is seconds
 * where bare_is_seconds, an error otherwise, except for "0", which is 0.
 *
 * Returns 0, or -1 when text is empty, has an unknown or missing unit, a
 * unit out of order or twice, or exceeds 10 years.
 */
MUST_CHECK int quantity_parse_span(struct bytes text, bool bare_is_seconds,
    int64_t *span_ms_r);

/*
 * Reads a size: a whole number and a unit of B, K, KiB, M, MiB, G, GiB
 * (all powers of 1024); "0" needs none.  Returns 0, or -1 as above, or on
 * overflow.
 */
MUST_CHECK int quantity_parse_size(struct bytes text, uint64_t *bytes_r);

#define QUANTITY_TEXT_SIZE 48

/* The shortest exact form that the parsers above read back. */
const char *quantity_format_span(int64_t span_ms,
    char text[QUANTITY_TEXT_SIZE]);
const char *quantity_format_size(uint64_t size, char text[QUANTITY_TEXT_SIZE]);

#endif
