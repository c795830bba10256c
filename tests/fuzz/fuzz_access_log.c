/*
 * fuzz/fuzz_access_log.c - access log: whatever a client sends stays in
 * its place in the line.
 *
 * Input: lines of format, method, target and agent; the rest is the
 * referer.
 */
/* SPDX-License-Identifier: ISC */
#include "fuzz/fuzz.h"

#include "common/json.h"
#include "worker/access_line.h"

#define PIECES_MAX 256

static char line[ACCESS_LINE_MAX];

/* One line, all printable ASCII, with so many quotes. */
static void
check_text(size_t len, size_t quote_count)
{
	size_t quotes = 0;

	invariant(len > 0 && len <= sizeof(line) && line[len - 1] == '\n');
	for (size_t i = 0; i + 1 < len; i++) {
		invariant(line[i] >= 0x20 && line[i] <= 0x7e);
		quotes += line[i] == '"';
	}
	invariant(quotes == quote_count);
}

static void
check_json(const struct access_record *record, size_t len)
{
	struct json_doc *doc;
	size_t offset;
	char *method;

	invariant(len > 0 && line[len - 1] == '\n');
	invariant(memchr(line, '\n', len) == line + len - 1);
	invariant(json_parse(bytes_slice(line, len - 1), &doc, &offset) == 0);
	invariant(json_count(doc, json_root(doc)) == 15);
	method = json_string(doc, json_member(doc, json_root(doc), "method"));
	invariant(record->method.len == 0 || method != NULL ||
	    memchr(record->method.data, '\0', record->method.len) != NULL);
	free(method);
	json_doc_free(&doc);
}

static void
check_custom(const struct access_record *record, struct bytes format)
{
	struct access_piece pieces[PIECES_MAX + 1];
	struct access_clock clock = { 0 };
	struct bytes where, rest = format;
	uint32_t count = 0;
	size_t len;

	if (access_format_check(format, &where) != NULL) {
		invariant(where.len > 0 && where.data >= format.data &&
		    where.data + where.len <= format.data + format.len);
		return;
	}
	while (count < PIECES_MAX &&
	    access_format_next(&rest, &pieces[count]) == 1)
		count++;
	len = access_line_custom(&clock, record, pieces, count, line);
	invariant(memchr(line, '\n', len) == line + len - 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes copy =
	    fuzz_exact_copy(bytes_slice((const char *)data, size));
	struct bytes rest = copy, format = { NULL, 0 };
	struct access_clock clock = { 0 };
	struct access_record record = { .status = 200, .total_us = 1 };

	(void)(bytes_next_field(&rest, '\n', &format) &&
	    bytes_next_field(&rest, '\n', &record.method) &&
	    bytes_next_field(&rest, '\n', &record.target) &&
	    bytes_next_field(&rest, '\n', &record.user_agent));
	record.referer = rest;
	check_text(access_line_combined(&clock, &record, line), 6);
	check_json(&record, access_line_json(&clock, &record, line));
	check_custom(&record, format);
	fuzz_release(copy);
	return 0;
}
