/*
 * http/path.c - one spelling for each path.
 *
 * What is matched against routes and what the backend sees must be the
 * same, or a route can be walked around.
 *
 * Source: RFC 3986, sections 5.2.4 and 6.2.2.
 */
/* SPDX-License-Identifier: ISC */
#include "http/url.h"

#include "http/chars.h"

/* The path written so far; the last segment is still open. */
struct path_writer {
	char *out;
	size_t len;
	size_t segment;			/* where the last segment starts */
};

/* Reads "%41" at escape; the byte, or -1 if it is none or U+0000. */
static int
read_escape(const char *escape, size_t len)
{
	unsigned int byte;

	if (len < 3 || !http_char_is(escape[1], HTTP_CHAR_HEX) ||
	    !http_char_is(escape[2], HTTP_CHAR_HEX))
		return -1;
	byte = http_char_hex_value(escape[1]) << 4 |
	    http_char_hex_value(escape[2]);
	return byte == 0 ? -1 : (int)byte;
}

static void
put_escaped(struct path_writer *writer, unsigned int byte)
{
	static const char digits[] = "0123456789ABCDEF";

	if (http_char_is((char)byte, HTTP_CHAR_UNRESERVED)) {
		writer->out[writer->len++] = (char)byte;
		return;
	}
	writer->out[writer->len++] = '%';
	writer->out[writer->len++] = digits[byte >> 4];
	writer->out[writer->len++] = digits[byte & 15];
}

/* Drops the segment that ends here if it is "." or "..", and with ".."
 * the one before it. */
static void
close_segment(struct path_writer *writer)
{
	const char *segment = writer->out + writer->segment;
	size_t len = writer->len - writer->segment;

	if (len == 1 && segment[0] == '.') {
		writer->len = writer->segment;
	} else if (len == 2 && segment[0] == '.' && segment[1] == '.') {
		writer->len = writer->segment;
		if (writer->len > 1)
			writer->len--;
		while (writer->out[writer->len - 1] != '/')
			writer->len--;
	}
}

/* A slash, unless one stands there already. */
static void
put_slash(struct path_writer *writer)
{
	if (writer->out[writer->len - 1] != '/')
		writer->out[writer->len++] = '/';
	writer->segment = writer->len;
}

bool
url_normalise_path(struct bytes path, char *out, size_t *len_r)
{
	struct path_writer writer = { .out = out, .len = 1, .segment = 1 };

	if (path.len == 0 || path.data[0] != '/')
		return false;
	out[0] = '/';
	for (size_t i = 1; i < path.len; i++) {
		char c = path.data[i];

		if (http_char_is(c, HTTP_CHAR_PATH)) {
			out[writer.len++] = c;
		} else if (c == '/') {
			close_segment(&writer);
			put_slash(&writer);
		} else if (c == '%') {
			int byte = read_escape(path.data + i, path.len - i);

			if (byte == -1)
				return false;
			put_escaped(&writer, (unsigned int)byte);
			i += 2;
		} else {
			return false;
		}
	}
	close_segment(&writer);
	*len_r = writer.len;
	return true;
}
