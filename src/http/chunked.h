/*
 * http/chunked.h - the chunked transfer coding, in pieces as they come.
 *
 * Decoding yields the data as slices of the input, without copying.
 * Encoding is the caller's: a chunk head before each run of data.
 *
 * Source: RFC 9112, section 7.1.
 */
/* SPDX-License-Identifier: ISC */
#ifndef HTTP_CHUNKED_H
#define HTTP_CHUNKED_H

#include "http/head.h"

#define HTTP_CHUNK_EXTENSIONS_MAX 4096	/* bytes, of one message */
#define HTTP_TRAILERS_MAX	  8192	/* bytes, of one message */

struct http_chunked {			/* start with all zero */
	uint64_t left;			/* of the current chunk's data */
	uint32_t extension_bytes, trailer_bytes;
	uint8_t state;
	uint8_t size_digits;
};

enum http_chunked_result {
	HTTP_CHUNKED_MORE,		/* all input is used up */
	HTTP_CHUNKED_DATA,		/* *data_r is body */
	HTTP_CHUNKED_TRAILER,		/* *data_r is one whole trailer line */
	HTTP_CHUNKED_DONE,		/* the body ended */
	HTTP_CHUNKED_FAULT,		/* framing; nothing more can be read */
};

/*
 * Takes from data[0, len), says how many bytes it used in *used_r, and
 * what they gave.  Call again with the rest until MORE, DONE or FAULT.
 *
 * Trailers: whole lines are given, one a call (name, colon, value and
 * CRLF, checked as fields are); an incomplete line is left unused, and
 * the caller presents it again with more behind it.
 */
enum http_chunked_result http_chunked_decode(struct http_chunked *,
    const char *data, size_t len, size_t *used_r, struct bytes *data_r);

#define HTTP_CHUNK_HEAD_MAX 20

/* Writes the head of a chunk of size > 0 bytes: hex digits and CRLF.
 * Returns its length.  Behind the data goes CRLF. */
size_t http_chunk_head(char head[HTTP_CHUNK_HEAD_MAX], uint64_t size);

/* The end of a body without trailers; with them, "0\r\n" + lines + "\r\n". */
#define HTTP_CHUNK_END "0\r\n\r\n"

#endif
