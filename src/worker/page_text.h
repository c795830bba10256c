/*
 * worker/page_text.h - a maintenance page out of the bytes of an answer.
 *
 * Pure: bytes are put into input, and looked at.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_PAGE_TEXT_H
#define WORKER_PAGE_TEXT_H

#include "common/buf.h"
#include "common/compat.h"
#include "worker/exchange.h"

#define PAGE_BYTES_MAX 49152		/* with its head; an own answer fits a
					 * buffer */

/* Zeroed: nothing has arrived. */
struct page_text {
	struct buf input;
	struct http_head_scan scan;
	struct buf body, fields, content_type;
	struct page_answer answer;	/* slices of those; when whole */
};

enum page_text_state { PAGE_TEXT_MORE, PAGE_TEXT_WHOLE, PAGE_TEXT_FAULT };

/*
 * Looks at what has arrived; is_end: no more will.  response is to work
 * with.  WHOLE: the answer stands until the next fetch.  FAULT: *fault_r
 * says why there is none.
 */
MUST_CHECK enum page_text_state page_text_look(struct page_text *,
    struct http_response *response, bool is_end, const char **fault_r);

#endif
