/*
 * ctl/pages.h - a list of the admin API, page by page.
 */
/* SPDX-License-Identifier: ISC */
#ifndef CTL_PAGES_H
#define CTL_PAGES_H

#include <stdbool.h>

#include "common/json.h"
#include "ctl/ctl.h"

/* One item of a page.  Returns false when no more are wanted. */
typedef bool pages_take_fn(void *context, const struct json_doc *, int item);

/*
 * Asks for all pages of the list at path and hands each item to take.
 * Why it went wrong is on standard error by then.
 */
enum ctl_exit pages_ask(const struct ctl *, const char *path,
    pages_take_fn *take, void *context);

#endif
