/*
 * http/chunked.c - the chunked transfer coding, in pieces as they come.
 *
 *   SIZE       hex digits        -> SIZE_BLANK, EXTENSION or SIZE_FEED
 *   SIZE_BLANK blanks            -> EXTENSION, at a semicolon
 *   EXTENSION  value characters  -> SIZE_FEED, at CR
 *   SIZE_FEED  LF                -> DATA, or TRAILER after size 0
 *   DATA       left bytes        -> DATA_CR
 *   DATA_CR    CR                -> DATA_FEED
 *   DATA_FEED  LF                -> SIZE
 *   TRAILER    whole lines       -> ENDED, at an empty one
 *   ENDED      nothing
 *   BROKEN     nothing; from anywhere
 */
/* SPDX-License-Identifier: ISC */
#include "http/chunked.h"

#include "http/chars.h"
#include "http/field.h"

enum state {
	STATE_SIZE,
	STATE_SIZE_BLANK,
	STATE_EXTENSION,
	STATE_SIZE_FEED,
	STATE_DATA,
	STATE_DATA_CR,
	STATE_DATA_FEED,
	STATE_TRAILER,
	STATE_ENDED,
	STATE_BROKEN,
};

#define SIZE_DIGITS_MAX 16

static enum state
step_size(struct http_chunked *chunked, char c)
{
	if (http_char_is(c, HTTP_CHAR_HEX)) {
		if (chunked->size_digits == SIZE_DIGITS_MAX ||
		    chunked->left > INT64_MAX >> 4)
			return STATE_BROKEN;
		chunked->size_digits++;
		chunked->left = chunked->left << 4 | http_char_hex_value(c);
		return STATE_SIZE;
	}
	if (chunked->size_digits == 0)
		return STATE_BROKEN;
	if (c == '\r')
		return STATE_SIZE_FEED;
	if (c == ';' || http_char_is_blank(c)) {
		chunked->extension_bytes++;
		return c == ';' ? STATE_EXTENSION : STATE_SIZE_BLANK;
	}
	return STATE_BROKEN;
}

/* Extensions are of no use to anybody; they are read over, not without
 * end. */
static enum state
step_extension(struct http_chunked *chunked, char c)
{
	if (chunked->state == STATE_EXTENSION && c == '\r')
		return STATE_SIZE_FEED;
	if (++chunked->extension_bytes > HTTP_CHUNK_EXTENSIONS_MAX)
		return STATE_BROKEN;
	if (chunked->state == STATE_EXTENSION)
		return http_char_is(c, HTTP_CHAR_VALUE) ? STATE_EXTENSION
							: STATE_BROKEN;
	if (c == ';')
		return STATE_EXTENSION;
	return http_char_is_blank(c) ? STATE_SIZE_BLANK : STATE_BROKEN;
}

/* Takes one byte of what stands around the data. */
static enum state
step(struct http_chunked *chunked, char c)
{
	switch ((enum state)chunked->state) {
	case STATE_SIZE:
		return step_size(chunked, c);
	case STATE_SIZE_BLANK:
	case STATE_EXTENSION:
		return step_extension(chunked, c);
	case STATE_SIZE_FEED:
		if (c != '\n')
			return STATE_BROKEN;
		return chunked->left > 0 ? STATE_DATA : STATE_TRAILER;
	case STATE_DATA_CR:
		return c == '\r' ? STATE_DATA_FEED : STATE_BROKEN;
	case STATE_DATA_FEED:
		chunked->size_digits = 0;
		return c == '\n' ? STATE_SIZE : STATE_BROKEN;
	case STATE_DATA:
	case STATE_TRAILER:
	case STATE_ENDED:
	case STATE_BROKEN:
		break;
	}
	return STATE_BROKEN;
}

static enum http_chunked_result
take_data(struct http_chunked *chunked, struct bytes input, size_t *used_r,
    struct bytes *data_r)
{
	size_t len = input.len < chunked->left ? input.len
					       : (size_t)chunked->left;

	if (len == 0)
		return HTTP_CHUNKED_MORE;
	*data_r = bytes_slice(input.data, len);
	*used_r += len;
	chunked->left -= len;
	if (chunked->left == 0)
		chunked->state = STATE_DATA_CR;
	return HTTP_CHUNKED_DATA;
}

static enum http_chunked_result
break_off(struct http_chunked *chunked)
{
	chunked->state = STATE_BROKEN;
	return HTTP_CHUNKED_FAULT;
}

/* Who reads trailers into the head must not be told of another length,
 * host or client by them. */
static bool
is_forwarded_trailer(const struct http_field *field)
{
	return !field->is_withheld &&
	    (field->id == HTTP_FIELD_OTHER ||
		field->id == HTTP_FIELD_PROXY_STATUS);
}

/* Takes lines until one is to be given, or none is whole. */
static enum http_chunked_result
take_trailer(struct http_chunked *chunked, struct bytes input, size_t *used_r,
    struct bytes *data_r)
{
	const char *pos = input.data, *end = pos + input.len;

	while (pos < end) {
		const char *line = pos, *feed;
		struct http_field field;

		feed = memchr(line, '\n', (size_t)(end - line));
		pos = feed == NULL ? end : feed + 1;
		if ((size_t)(pos - line) >
		    HTTP_TRAILERS_MAX - chunked->trailer_bytes)
			return break_off(chunked);
		if (feed == NULL)
			return HTTP_CHUNKED_MORE;
		*used_r += (size_t)(pos - line);
		if (pos - line < 2 || pos[-2] != '\r')
			return break_off(chunked);
		if (pos - line == 2) {
			chunked->state = STATE_ENDED;
			return HTTP_CHUNKED_DONE;
		}
		chunked->trailer_bytes += (uint32_t)(pos - line);
		*data_r = bytes_slice(line, (size_t)(pos - line));
		if (http_field_parse_line(&line, pos, &field) !=
		    HTTP_FAULT_NONE)
			return break_off(chunked);
		if (is_forwarded_trailer(&field))
			return HTTP_CHUNKED_TRAILER;
	}
	return HTTP_CHUNKED_MORE;
}

enum http_chunked_result
http_chunked_decode(struct http_chunked *chunked, const char *data,
    size_t len, size_t *used_r, struct bytes *data_r)
{
	size_t pos = 0;

	*data_r = bytes_slice(NULL, 0);
	for (;;) {
		struct bytes rest = { data + pos, len - pos };

		*used_r = pos;
		switch ((enum state)chunked->state) {
		case STATE_DATA:
			return take_data(chunked, rest, used_r, data_r);
		case STATE_TRAILER:
			return take_trailer(chunked, rest, used_r, data_r);
		case STATE_ENDED:
			return HTTP_CHUNKED_DONE;
		case STATE_BROKEN:
			return HTTP_CHUNKED_FAULT;
		case STATE_SIZE:
		case STATE_SIZE_BLANK:
		case STATE_EXTENSION:
		case STATE_SIZE_FEED:
		case STATE_DATA_CR:
		case STATE_DATA_FEED:
			break;
		}
		if (pos == len)
			return HTTP_CHUNKED_MORE;
		chunked->state = (uint8_t)step(chunked, data[pos++]);
	}
}

size_t
http_chunk_head(char head[HTTP_CHUNK_HEAD_MAX], uint64_t size)
{
	static const char digits[] = "0123456789abcdef";
	size_t len = 0;

	for (int shift = 60; shift >= 0; shift -= 4) {
		unsigned int digit = size >> shift & 15;

		if (len > 0 || digit != 0 || shift == 0)
			head[len++] = digits[digit];
	}
	head[len++] = '\r';
	head[len++] = '\n';
	return len;
}
