/*
 * tests/unit/registryd/test_protocol_line.c - lines of the registration
 * protocol: framed, taken apart.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "registryd/protocol/line.h"

static const struct {
	const char *sentence, *line;
	enum line_result want;
	enum protocol_command command;
	uint32_t field_count;
	const char *last;		/* field */
} cases[] = {
	{ "an empty line is nothing", "", LINE_EMPTY, COMMAND_COUNT, 0, NULL },
	{ "a carriage return is dropped", "\r", LINE_EMPTY, COMMAND_COUNT, 0,
	    NULL },
	{ "a command has its fields", "PING|s", LINE_GOOD, COMMAND_PING, 1,
	    "s" },
	{ "the end may be CR LF", "PING|s\r", LINE_GOOD, COMMAND_PING, 1,
	    "s" },
	{ "words are case-sensitive", "ping|s", LINE_UNKNOWN, COMMAND_COUNT,
	    0, NULL },
	{ "a word is all of it", "PINGS|s", LINE_UNKNOWN, COMMAND_COUNT, 0,
	    NULL },
	{ "too few fields are refused", "PING", LINE_FORMAT, COMMAND_PING, 0,
	    NULL },
	{ "a field too many is refused", "PING|s|x", LINE_FORMAT,
	    COMMAND_PING, 1, "s" },
	{ "an empty field at the end is nothing", "PING|s|", LINE_GOOD,
	    COMMAND_PING, 1, "s" },
	{ "an empty field is a field", "MAINT_ENTER|s|ALL|", LINE_GOOD,
	    COMMAND_MAINT_ENTER, 3, "" },
	{ "a field that is not there is missing", "MAINT_ENTER|s|ALL",
	    LINE_FORMAT, COMMAND_MAINT_ENTER, 2, "ALL" },
	{ "JSON runs to the end", "REGISTER|a|b|1|{\"x\":\"|\"}", LINE_GOOD,
	    COMMAND_REGISTER, 4, "{\"x\":\"|\"}" },
	{ "what is optional may be left out", "REGISTER|a|b|1", LINE_GOOD,
	    COMMAND_REGISTER, 3, "1" },
	{ "a bulk is JSON", "ROUTE_ADD_BULK|s|[1|2]", LINE_GOOD,
	    COMMAND_ROUTE_ADD_BULK, 2, "[1|2]" },
	{ "an alias is its command", "RATE_LIMIT_SET|s|r1|1|1s", LINE_GOOD,
	    COMMAND_RATELIMIT_SET, 4, "1s" },
	{ "CIRCUIT_SET is CIRCUIT_BREAKER_SET", "CIRCUIT_SET|s|r1|1|1s|1",
	    LINE_GOOD, COMMAND_CIRCUIT_SET, 5, "1" },
	{ "ACK stands alone", "ACK", LINE_GOOD, COMMAND_ACK, 0, NULL },
	{ "controls are refused", "PING|a\001b", LINE_FORMAT, COMMAND_PING,
	    0, NULL },
	{ "bad UTF-8 is refused", "PING|\xc3", LINE_FORMAT, COMMAND_PING, 0,
	    NULL },
	{ "good UTF-8 is text", "PING|\xc3\xa4", LINE_GOOD, COMMAND_PING, 1,
	    "\xc3\xa4" },
};

static void
lines_follow_their_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct protocol_line line;
		enum line_result result = line_parse(bytes_of(cases[i].line),
		    &line);

		if (result != cases[i].want ||
		    line.command != cases[i].command)
			fail_msg("%s", cases[i].sentence);
		if (result == LINE_GOOD &&
		    (line.field_count != cases[i].field_count ||
			(cases[i].last != NULL &&
			    !bytes_is(line.fields[line.field_count - 1],
				cases[i].last))))
			fail_msg("%s", cases[i].sentence);
	}
}

static void
nul_is_refused(void **state)
{
	struct protocol_line line;

	(void)state;
	assert_int_equal(line_parse(bytes_slice("PING|a\0b", 8), &line),
	    LINE_FORMAT);
}

/* Feeds text a byte at a time; how many lines came of it. */
static uint32_t
count_lines(const char *text, size_t len)
{
	size_t start = 0, scanned = 0, used;
	uint32_t count = 0;
	struct bytes line;

	for (size_t end = 1; end <= len; end++) {
		while (line_frame(bytes_slice(text + start, end - start),
			   &scanned, &line, &used) == FRAME_LINE) {
			start += used;
			count++;
		}
	}
	return count;
}

static void
pieces_become_lines(void **state)
{
	static const char text[] = "PING|s\nPONG\r\n\nhalf";

	(void)state;
	assert_int_equal(count_lines(text, sizeof(text) - 1), 3);
}

static enum frame_result
frame_of(size_t len, const char *end)
{
	char *text = malloc(len + 3);
	enum frame_result result;
	size_t scanned = 0, used;
	struct bytes line;

	memset(text, 'x', len);
	snprintf(text + len, 3, "%s", end);
	result = line_frame(bytes_of(text), &scanned, &line, &used);
	free(text);
	return result;
}

static void
a_line_has_at_most_64_kib(void **state)
{
	(void)state;
	assert_int_equal(frame_of(LINE_MAX_BYTES - 1, "\n"), FRAME_LINE);
	assert_int_equal(frame_of(LINE_MAX_BYTES, "\n"), FRAME_LINE);
	assert_int_equal(frame_of(LINE_MAX_BYTES, "\r\n"), FRAME_LINE);
	assert_int_equal(frame_of(LINE_MAX_BYTES, "\r"), FRAME_MORE);
	assert_int_equal(frame_of(LINE_MAX_BYTES, ""), FRAME_MORE);
	assert_int_equal(frame_of(LINE_MAX_BYTES + 1, "\n"), FRAME_TOO_LONG);
	assert_int_equal(frame_of(LINE_MAX_BYTES + 1, "\r\n"),
	    FRAME_TOO_LONG);
	assert_int_equal(frame_of(LINE_MAX_BYTES + 1, ""), FRAME_TOO_LONG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_follow_their_table),
		cmocka_unit_test(nul_is_refused),
		cmocka_unit_test(pieces_become_lines),
		cmocka_unit_test(a_line_has_at_most_64_kib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
