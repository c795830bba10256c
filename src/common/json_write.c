/*
 * common/json_write.c - writing JSON into a struct buf.
 */
/* SPDX-License-Identifier: ISC */
#include "common/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd"	/* U+FFFD, for what is no UTF-8 */

static void
separate(struct json_writer *writer)
{
	if (writer->needs_comma)
		buf_append_char(writer->buf, ',');
	writer->needs_comma = true;
}

void
json_write_begin(struct json_writer *writer, char bracket)
{
	separate(writer);
	buf_append_char(writer->buf, bracket);
	writer->needs_comma = false;
}

void
json_write_end(struct json_writer *writer, char bracket)
{
	buf_append_char(writer->buf, bracket);
	writer->needs_comma = true;
}

static bool
needs_escape(const struct json_writer *writer, char c)
{
	return (unsigned char)c < ' ' || c == '"' || c == '\\' || c == 0x7f ||
	    (c == '|' && writer->escapes_pipe);
}

static void
write_escape(struct buf *buf, char c)
{
	static const char controls[] = "\b\f\n\r\t\"\\";
	static const char letters[] = "bfnrt\"\\";
	const char *control = c == '\0' ? NULL : strchr(controls, c);

	if (control == NULL) {
		buf_printf(buf, "\\u%04x", (unsigned char)c);
		return;
	}
	buf_append_char(buf, '\\');
	buf_append_char(buf, letters[control - controls]);
}

/* How many bytes at the front can be written as they stand. */
static size_t
plain_len(const struct json_writer *writer, struct bytes text)
{
	size_t pos = 0;

	while (pos < text.len && !needs_escape(writer, text.data[pos])) {
		size_t len = utf8_char_len(text.data + pos, text.len - pos);

		if (len == 0)
			break;
		pos += len;
	}
	return pos;
}

static void
write_quoted(struct json_writer *writer, struct bytes text)
{
	buf_append_char(writer->buf, '"');
	while (text.len > 0) {
		size_t len = plain_len(writer, text);

		buf_append(writer->buf, bytes_slice(text.data, len));
		if (len < text.len) {
			if (needs_escape(writer, text.data[len]))
				write_escape(writer->buf, text.data[len]);
			else
				buf_append_text(writer->buf, REPLACEMENT);
			len++;
		}
		text.data += len;
		text.len -= len;
	}
	buf_append_char(writer->buf, '"');
}

void
json_write_key(struct json_writer *writer, const char *key)
{
	separate(writer);
	write_quoted(writer, bytes_of(key));
	buf_append_char(writer->buf, ':');
	writer->needs_comma = false;
}

void
json_write_string(struct json_writer *writer, struct bytes text)
{
	separate(writer);
	write_quoted(writer, text);
}

void
json_write_text(struct json_writer *writer, const char *text)
{
	if (text == NULL)
		json_write_null(writer);
	else
		json_write_string(writer, bytes_of(text));
}

void
json_write_integer(struct json_writer *writer, int64_t integer)
{
	separate(writer);
	buf_append_integer(writer->buf, integer);
}

/* The shorter form of those that are read back as the same number; JSON
 * has no word for what is not finite. */
void
json_write_number(struct json_writer *writer, double number)
{
	char text[32];

	if (!isfinite(number)) {
		json_write_null(writer);
		return;
	}
	separate(writer);
	snprintf(text, sizeof(text), "%.15g", number);
	if (strtod(text, NULL) != number)
		snprintf(text, sizeof(text), "%.17g", number);
	buf_append_text(writer->buf, text);
}

void
json_write_bool(struct json_writer *writer, bool value)
{
	json_write_raw(writer, bytes_of(value ? "true" : "false"));
}

void
json_write_null(struct json_writer *writer)
{
	json_write_raw(writer, bytes_of("null"));
}

void
json_write_raw(struct json_writer *writer, struct bytes value)
{
	separate(writer);
	buf_append(writer->buf, value);
}
