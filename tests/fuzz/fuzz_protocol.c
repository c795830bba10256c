/*
 * tests/fuzz/fuzz_protocol.c - lines of the registration protocol.
 *
 * The input is what a client sends.  Lines are framed, parsed, and those
 * that stage something are staged; what comes of it must read back as it
 * was written.
 */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "common/log.h"
#include "fuzz/fuzz.h"
#include "registryd/protocol/config.h"

static void
stage(struct session_config *config, const struct protocol_line *line)
{
	struct session_config next;

	if (command_scope(line->command) == SCOPE_NONE ||
	    config_copy(config, &next) == -1)
		return;
	if (config_stage(&next, line) == NULL) {
		config_clear(config);
		*config = next;
	} else {
		config_clear(&next);
	}
}

static void
check_lines(const struct session_config *config)
{
	struct session_config again;
	struct buf first = { 0 }, second = { 0 };
	struct bytes rest, text;

	config_init(&again);
	config_write_lines(config, &first);
	rest = buf_bytes(&first);
	while (rest.len > 0 && bytes_next_field(&rest, '\n', &text))
		if (text.len > 0)
			invariant(config_stage_text(&again, text) == NULL);
	config_write_lines(&again, &second);
	invariant(bytes_equal(buf_bytes(&first), buf_bytes(&second)));
	buf_free(&first);
	buf_free(&second);
	config_clear(&again);
}

static void
check_json(const struct session_config *config)
{
	struct session_config none;
	struct buf buf = { 0 };
	struct json_writer writer = json_writer(&buf);
	struct json_doc *doc;
	size_t offset;

	writer.escapes_pipe = true;
	config_init(&none);
	json_write_begin(&writer, '[');
	config_write_diff(&writer, &none, config);
	config_write_routes(&writer, config, &none);
	json_write_end(&writer, ']');
	invariant(json_parse(buf_bytes(&buf), &doc, &offset) == 0);
	invariant(memchr(buf.data, '|', buf.len) == NULL);
	json_doc_free(&doc);
	buf_free(&buf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = bytes_slice((const char *)data, size), text;
	struct session_config config;
	struct protocol_line line;
	size_t scanned = 0, used;

	config_init(&config);
	while (line_frame(input, &scanned, &text, &used) == FRAME_LINE) {
		if (line_parse(text, &line) == LINE_GOOD)
			stage(&config, &line);
		input = bytes_slice(input.data + used, input.len - used);
	}
	check_lines(&config);
	check_json(&config);
	config_clear(&config);
	return 0;
}
