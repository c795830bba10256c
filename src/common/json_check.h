/*
 * common/json_check.h - whether a text is JSON, to the letter.
 *
 * Internal to json.c: jsmn accepts more than the grammar, so nothing
 * reaches it that did not pass here.
 *
 * Source: RFC 8259; lone surrogates are refused as RFC 7493 asks.
 */
/* SPDX-License-Identifier: ISC */
#ifndef COMMON_JSON_CHECK_H
#define COMMON_JSON_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"

/*
 * Whether text is one JSON value, blanks around it allowed, nested no
 * deeper than JSON_DEPTH_MAX.  *offset_r is where it goes wrong (text.len:
 * it ends too soon); *count_r the number of values and member names.
 */
bool json_check(struct bytes text, size_t *offset_r, size_t *count_r);

/*
 * Resolves the first character, or the first escape (a surrogate pair is
 * one), of the inside of a checked string.  Returns how many bytes of it
 * were used and sets *code_point_r.
 */
size_t json_unescape(struct bytes inside, uint32_t *code_point_r);

#endif
