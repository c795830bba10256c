/*
 * fuzz/fuzz.h - what the fuzz targets share.
 *
 * A target is one function over bytes.  It is linked with libFuzzer
 * under --enable-fuzzers, and with replay_main.c otherwise.
 */
/* SPDX-License-Identifier: ISC */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/log.h"
#include "common/random.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy in a block of just that size, so that AddressSanitizer sees one
 * byte too many.  free() its data. */
static inline struct bytes
fuzz_exact_copy(struct bytes value)
{
	char *copy = malloc(value.len > 0 ? value.len : 1);

	invariant(copy != NULL);
	if (value.len > 0)
		memcpy(copy, value.data, value.len);
	return bytes_slice(copy, value.len);
}

static inline void
fuzz_release(struct bytes copy)
{
	free((void *)(uintptr_t)copy.data);
}

/* Ways to cut the input that depend on nothing else than its bytes. */
static inline struct random_stream
fuzz_cuts(struct bytes input)
{
	struct random_stream stream = { input.len };

	for (size_t i = 0; i < input.len; i++)
		stream.state = stream.state * 31 + (unsigned char)input.data[i];
	return stream;
}

#endif
