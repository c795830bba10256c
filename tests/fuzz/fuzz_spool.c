/*
 * fuzz/fuzz_spool.c - a kept commit: whatever is read is written as a text
 * that is read as the same.
 */
/* SPDX-License-Identifier: ISC */
#include "fuzz/fuzz.h"

#include "registryd/store/spool_body.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spool_body body = { 0 }, again = { 0 };
	struct buf first = { 0 }, second = { 0 };

	if (spool_body_read(bytes_slice((const char *)data, size), &body) ==
	    0) {
		invariant(spool_body_write(&first, &body) == 0);
		invariant(spool_body_read(buf_bytes(&first), &again) == 0);
		invariant(again.changes.count == body.changes.count &&
		    again.notes.count == body.notes.count);
		invariant(spool_body_write(&second, &again) == 0);
		invariant(bytes_equal(buf_bytes(&first), buf_bytes(&second)));
	}
	buf_free(&first);
	buf_free(&second);
	spool_body_clear(&body);
	spool_body_clear(&again);
	return 0;
}
