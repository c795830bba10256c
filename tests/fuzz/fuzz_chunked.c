/*
 * fuzz/fuzz_chunked.c - chunked bodies: however the bytes are cut, the
 * same body, the same trailers and the same end come out.
 */
/* SPDX-License-Identifier: ISC */
#include "fuzz/fuzz.h"

#include "common/buf.h"
#include "http/chunked.h"

struct decoded {
	struct buf data, trailers;
	size_t used;
	enum http_chunked_result result;
};

/* Decodes what is there, until more is wanted or it is over. */
static void
decode_available(struct http_chunked *chunked, struct bytes input,
    struct decoded *decoded)
{
	for (;;) {
		struct bytes rest = fuzz_exact_copy(bytes_slice(
		    input.data + decoded->used, input.len - decoded->used));
		struct bytes data;
		size_t used;

		decoded->result = http_chunked_decode(chunked, rest.data,
		    rest.len, &used, &data);
		invariant(used <= rest.len);
		decoded->used += used;
		if (decoded->result == HTTP_CHUNKED_DATA)
			buf_append(&decoded->data, data);
		if (decoded->result == HTTP_CHUNKED_TRAILER)
			buf_append(&decoded->trailers, data);
		fuzz_release(rest);
		if (decoded->result != HTTP_CHUNKED_DATA &&
		    decoded->result != HTTP_CHUNKED_TRAILER)
			return;
	}
}

static struct decoded
decode_whole(struct bytes input)
{
	struct http_chunked chunked = { 0 };
	struct decoded decoded = { .used = 0 };

	decode_available(&chunked, input, &decoded);
	return decoded;
}

static struct decoded
decode_in_pieces(struct bytes input)
{
	struct random_stream cuts = fuzz_cuts(input);
	struct http_chunked chunked = { 0 };
	struct decoded decoded = { .used = 0 };
	size_t len = 0;

	do {
		len += 1 + random_below(&cuts, 8);
		if (len > input.len)
			len = input.len;
		decode_available(&chunked, bytes_slice(input.data, len),
		    &decoded);
	} while (decoded.result == HTTP_CHUNKED_MORE && len < input.len);
	return decoded;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = { (const char *)data, size };
	struct decoded whole = decode_whole(input);
	struct decoded pieces = decode_in_pieces(input);

	invariant(whole.result == pieces.result);
	invariant(whole.used == pieces.used ||
	    whole.result == HTTP_CHUNKED_FAULT);
	invariant(bytes_equal(buf_bytes(&whole.data), buf_bytes(&pieces.data)));
	invariant(bytes_equal(buf_bytes(&whole.trailers),
	    buf_bytes(&pieces.trailers)));
	buf_free(&whole.data);
	buf_free(&whole.trailers);
	buf_free(&pieces.data);
	buf_free(&pieces.trailers);
	return 0;
}
