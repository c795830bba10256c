/*
 * registryd/store/condition_text.h - a condition as the JSON of its column.
 *
 * {"maintenance": {"at", "until", "who", "reason", "page_url", "allow"},
 *  "drain": {"at", "span_ms", "who", "reason", "outcome"}}, each only where
 * it is ordered; times in milliseconds since 1970.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_CONDITION_TEXT_H
#define REGISTRYD_STORE_CONDITION_TEXT_H

#include "common/buf.h"
#include "registryd/store/object.h"

/* Empties the text first.  0, or -1 when out of memory. */
MUST_CHECK int condition_write(struct buf *, const struct condition *);

/* 0, or -1: out of memory, or no such text; cleared then. */
MUST_CHECK int condition_read(const char *json, struct condition *condition_r);

#endif
