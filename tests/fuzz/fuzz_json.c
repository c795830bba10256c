/*
 * fuzz/fuzz_json.c - JSON: whatever is read can be walked and written
 * again, and is then read as the same.
 */
/* SPDX-License-Identifier: ISC */
#include "fuzz/fuzz.h"

#include "common/json.h"

static void write_value(const struct json_doc *, int, struct json_writer *);

static void
write_container(const struct json_doc *doc, int container,
    struct json_writer *writer, bool is_object)
{
	int value = JSON_NONE;
	struct bytes key;
	size_t count = 0;

	json_write_begin(writer, is_object ? '{' : '[');
	while (json_each(doc, container, &value, &key)) {
		if (is_object) {
			struct buf quoted = { 0 };

			buf_append_char(&quoted, '"');
			buf_append(&quoted, key);
			buf_append_text(&quoted, "\"");
			json_write_raw(writer, buf_bytes(&quoted));
			buf_append_char(writer->buf, ':');
			writer->needs_comma = false;
			buf_free(&quoted);
		}
		write_value(doc, value, writer);
		count++;
	}
	json_write_end(writer, is_object ? '}' : ']');
	invariant(count == json_count(doc, container));
}

static void
write_string(const struct json_doc *doc, int value, struct json_writer *writer)
{
	char *text = json_string(doc, value);

	if (text != NULL)
		json_write_text(writer, text);
	else			/* contains U+0000 */
		json_write_raw(writer, json_raw(doc, value));
	free(text);
}

static void
write_value(const struct json_doc *doc, int value, struct json_writer *writer)
{
	int64_t integer;
	bool is_true;

	switch (json_type(doc, value)) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		write_container(doc, value, writer,
		    json_type(doc, value) == JSON_OBJECT);
		break;
	case JSON_STRING:
		write_string(doc, value, writer);
		break;
	case JSON_NUMBER:
		if (json_integer(doc, value, INT64_MIN, INT64_MAX,
			&integer) == 0)
			json_write_integer(writer, integer);
		else
			json_write_raw(writer, json_raw(doc, value));
		break;
	case JSON_BOOL:
		invariant(json_bool(doc, value, &is_true) == 0);
		json_write_bool(writer, is_true);
		break;
	case JSON_NULL:
		json_write_null(writer);
		break;
	}
}

/* Empty when text is not JSON. */
static struct buf
rewrite(struct bytes text)
{
	struct buf written = { 0 };
	struct json_writer writer = json_writer(&written);
	struct json_doc *doc;
	size_t offset;

	if (json_parse(text, &doc, &offset) == -1) {
		invariant(offset <= text.len);
		return written;
	}
	(void)json_member(doc, json_root(doc), "name");
	write_value(doc, json_root(doc), &writer);
	invariant(!written.is_failed);
	json_doc_free(&doc);
	return written;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf once = rewrite(bytes_slice((const char *)data, size));

	if (once.len > 0) {
		struct buf twice = rewrite(buf_bytes(&once));

		invariant(bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
		buf_free(&twice);
	}
	buf_free(&once);
	return 0;
}
