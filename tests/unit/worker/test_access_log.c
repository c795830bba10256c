/*
 * tests/unit/worker/test_access_log.c - lines byte by byte, then files.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "worker/access_line.h"
#include "worker/access_log.h"

#define NOON_MS INT64_C(1769860800250) /* 2026-01-31T12:00:00.250Z */

static struct access_record
plain_record(void)
{
	return (struct access_record){
		.started_wall_ms = NOON_MS,
		.request_id = BYTES_LITERAL("r-1"),
		.client = BYTES_LITERAL("192.0.2.7"),
		.method = BYTES_LITERAL("GET"),
		.target = BYTES_LITERAL("/a?b=c"),
		.host = BYTES_LITERAL("example.net"),
		.referer = BYTES_LITERAL("http://example.net/"),
		.user_agent = BYTES_LITERAL("curl/7.88.1"),
		.minor_version = 1,
		.status = 200,
		.bytes_in = 5,
		.bytes_out = 612,
		.route = BYTES_LITERAL("users-7"),
		.service = BYTES_LITERAL("users"),
		.backend_id = 9,
		.tries = 1,
		.total_us = 1234567,
		.connect_us = -1,
		.first_byte_us = 42,
	};
}

static const char *
cut_off_end(char *line, size_t len)
{
	assert_true(len > 0);
	assert_int_equal(line[len - 1], '\n');
	line[len - 1] = '\0';
	assert_int_equal(strlen(line), len - 1);
	assert_null(strchr(line, '\n'));
	return line;
}

static char line[ACCESS_LINE_MAX];

static const char *
combined(const struct access_record *record)
{
	struct access_clock clock = { 0 };

	return cut_off_end(line, access_line_combined(&clock, record, line));
}

static const char *
json(const struct access_record *record)
{
	struct access_clock clock = { 0 };

	return cut_off_end(line, access_line_json(&clock, record, line));
}

static const char *
custom(const struct access_record *record, const char *format)
{
	struct access_clock clock = { 0 };
	struct access_piece pieces[64];
	struct bytes rest = bytes_of(format);
	uint32_t count = 0;

	while (access_format_next(&rest, &pieces[count]) == 1)
		count++;
	return cut_off_end(line,
	    access_line_custom(&clock, record, pieces, count, line));
}

/* Combined --------------------------------------------------------------- */

static void
combined_is_what_nginx_writes(void **state)
{
	struct access_record record = plain_record();

	(void)state;
	assert_string_equal(combined(&record),
	    "192.0.2.7 - - [31/Jan/2026:12:00:00 +0000] "
	    "\"GET /a?b=c HTTP/1.1\" 200 612 "
	    "\"http://example.net/\" \"curl/7.88.1\"");
}

static void
an_escape_is_found_wherever_it_stands(void **state)
{
	static const char odd[] = "\"\\\x1f\x7f\x80\xff\x01";
	char text[40], wanted[128];

	(void)state;
	for (size_t len = 1; len < sizeof(text); len++)
		for (size_t at = 0; at < len; at++)
			for (size_t i = 0; i < sizeof(odd) - 1; i++) {
				struct access_record record = plain_record();

				memset(text, '~', sizeof(text));
				text[at] = odd[i];
				record.user_agent = bytes_slice(text, len);
				snprintf(wanted, sizeof(wanted),
				    " \"%.*s\\x%02X%.*s\"", (int)at,
				    "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~",
				    (unsigned char)odd[i],
				    (int)(len - at - 1),
				    "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~");
				assert_non_null(strstr(combined(&record),
				    wanted));
			}
}

static void
what_is_missing_is_a_dash(void **state)
{
	struct access_record record = {
		.started_wall_ms = NOON_MS,
		.client = BYTES_LITERAL("::1"),
		.status = 400,
	};

	(void)state;
	assert_string_equal(combined(&record),
	    "::1 - - [31/Jan/2026:12:00:00 +0000] \"-\" 400 0 \"-\" \"-\"");
}

static const struct {
	const char *sentence;
	struct bytes agent;
	const char *want;
} escapes[] = {
	{ "printable text stays", BYTES_LITERAL("a b~!'"), "a b~!'" },
	{ "a quote cannot end the field", BYTES_LITERAL("x\" 200"),
	  "x\\x22 200" },
	{ "a backslash is escaped", BYTES_LITERAL("a\\b"), "a\\x5Cb" },
	{ "a line break cannot end the line", BYTES_LITERAL("a\r\nb"),
	  "a\\x0D\\x0Ab" },
	{ "a NUL does not hide the rest", BYTES_LITERAL("a\0b"), "a\\x00b" },
	{ "bytes over 0x7e are escaped", BYTES_LITERAL("\x7f\xc3\xa9"),
	  "\\x7F\\xC3\\xA9" },
};

static void
combined_escapes_by_its_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(escapes); i++) {
		struct access_record record = plain_record();
		char want[256];

		record.user_agent = escapes[i].agent;
		snprintf(want, sizeof(want),
		    "192.0.2.7 - - [31/Jan/2026:12:00:00 +0000] "
		    "\"GET /a?b=c HTTP/1.1\" 200 612 \"http://example.net/\" "
		    "\"%s\"", escapes[i].want);
		if (strcmp(combined(&record), want) != 0)
			fail_msg("%s: %s", escapes[i].sentence, line);
	}
}

static void
the_local_time_has_its_offset(void **state)
{
	struct access_record record = plain_record();

	(void)state;
	setenv("TZ", "WEST3:30", 1);	/* west */
	tzset();
	assert_string_equal(custom(&record, "$time_local"),
	    "31/Jan/2026:08:30:00 -0330");
	setenv("TZ", "EAST-5:45", 1);	/* east */
	tzset();
	assert_string_equal(custom(&record, "$time_local"),
	    "31/Jan/2026:17:45:00 +0545");
	setenv("TZ", "UTC", 1);
	tzset();
}

static void
the_clock_follows_each_second(void **state)
{
	struct access_clock clock = { 0 };
	struct access_record record = plain_record();

	(void)state;
	access_line_combined(&clock, &record, line);
	assert_memory_equal(clock.local, "31/Jan/2026:12:00:00", 20);
	record.started_wall_ms += 1000;
	access_line_combined(&clock, &record, line);
	assert_memory_equal(clock.local, "31/Jan/2026:12:00:01", 20);
	record.started_wall_ms -= 1000;
	access_line_combined(&clock, &record, line);
	assert_memory_equal(clock.local, "31/Jan/2026:12:00:00", 20);
}

/* JSON ------------------------------------------------------------------- */

static void
json_has_all_fields(void **state)
{
	struct access_record record = plain_record();

	(void)state;
	assert_string_equal(json(&record),
	    "{\"time\":\"2026-01-31T12:00:00.250Z\",\"request_id\":\"r-1\","
	    "\"client\":\"192.0.2.7\",\"method\":\"GET\",\"target\":\"/a?b=c\","
	    "\"status\":200,\"bytes_in\":5,\"bytes_out\":612,"
	    "\"route\":\"users-7\",\"backend\":9,\"tries\":1,"
	    "\"total\":1.234567,\"connect\":null,\"first_byte\":0.000042,"
	    "\"reason\":null}");
}

static void
json_says_null_for_what_never_was(void **state)
{
	struct access_record record = {
		.started_wall_ms = NOON_MS + 749,
		.status = 404,
		.total_us = -1,
		.connect_us = -1,
		.first_byte_us = -1,
		.reason = "no_route",
	};

	(void)state;
	assert_string_equal(json(&record),
	    "{\"time\":\"2026-01-31T12:00:00.999Z\",\"request_id\":null,"
	    "\"client\":null,\"method\":null,\"target\":null,"
	    "\"status\":404,\"bytes_in\":0,\"bytes_out\":0,"
	    "\"route\":null,\"backend\":null,\"tries\":0,"
	    "\"total\":null,\"connect\":null,\"first_byte\":null,"
	    "\"reason\":\"no_route\"}");
}

static const struct {
	const char *sentence;
	struct bytes target;
	const char *want;
} json_escapes[] = {
	{ "quotes and backslashes", BYTES_LITERAL("/\"\\"), "\"/\\\"\\\\\"" },
	{ "controls", BYTES_LITERAL("/\n\x1f\x7f"),
	  "\"/\\u000a\\u001f\\u007f\"" },
	{ "UTF-8 stays", BYTES_LITERAL("/\xc3\xa9\xe2\x82\xac"),
	  "\"/\xc3\xa9\xe2\x82\xac\"" },
	{ "what is no UTF-8 is replaced", BYTES_LITERAL("/\xff\xc3"),
	  "\"/\\ufffd\\ufffd\"" },
};

static void
json_escapes_by_its_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(json_escapes); i++) {
		struct access_record record = plain_record();
		char want[128];

		record.target = json_escapes[i].target;
		snprintf(want, sizeof(want), "\"target\":%s,\"status\"",
		    json_escapes[i].want);
		if (strstr(json(&record), want) == NULL)
			fail_msg("%s: %s", json_escapes[i].sentence, line);
	}
}

/* Custom ----------------------------------------------------------------- */

static const struct {
	const char *format, *want;
} customs[] = {
	{ "$client $method $target -> $status",
	  "192.0.2.7 GET /a?b=c -> 200" },
	{ "$time|$request_id|$protocol|$request",
	  "2026-01-31T12:00:00.250Z|r-1|HTTP/1.1|GET /a?b=c HTTP/1.1" },
	{ "$bytes_in/$bytes_out $route $service $backend $tries",
	  "5/612 users-7 users 9 1" },
	{ "$total $connect $first_byte $reason", "1.234567 - 0.000042 -" },
	{ "$host \"$referer\" \"$user_agent\"",
	  "example.net \"http://example.net/\" \"curl/7.88.1\"" },
	{ "${status}ms costs $$5", "200ms costs $5" },
};

static void
custom_fills_variables_in(void **state)
{
	struct access_record record = plain_record();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(customs); i++)
		assert_string_equal(custom(&record, customs[i].format),
		    customs[i].want);
}

static const struct {
	const char *sentence, *format, *where; /* where NULL: it is good */
} formats[] = {
	{ "variables and text", "$client $status", NULL },
	{ "an unknown variable", "$status $cookie x", "$cookie" },
	{ "credentials cannot be named", "$authorization", "$authorization" },
	{ "a sign alone", "costs $ 5", "$" },
	{ "an open brace", "${status", "$" },
	{ "the longest name counts", "$statuses", "$statuses" },
	{ "a line break", "$status\n", "\n" },
};

static void
a_format_is_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(formats); i++) {
		struct bytes where;
		const char *fault =
		    access_format_check(bytes_of(formats[i].format), &where);

		if ((fault == NULL) != (formats[i].where == NULL))
			fail_msg("%s", formats[i].sentence);
		if (fault != NULL && !bytes_is(where, formats[i].where))
			fail_msg("%s: %.*s", formats[i].sentence,
			    BYTES_ARGS(where));
	}
}

static void
a_long_line_is_cut(void **state)
{
	static char long_text[40000];
	struct access_record record = plain_record();
	size_t len;

	(void)state;
	memset(long_text, '\1', sizeof(long_text));
	record.target = record.referer = record.user_agent = record.method =
	    record.client = bytes_slice(long_text, sizeof(long_text));
	len = strlen(combined(&record));
	assert_true(len < ACCESS_LINE_MAX);
	len = strlen(custom(&record,
	    "$target$target$target$target$target$target"));
	assert_int_equal(len, ACCESS_LINE_MAX - 1);
}

/* Files ------------------------------------------------------------------ */

static char dir[64];

static int
set_up(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_NOTICE);
	setenv("TZ", "UTC", 1);
	tzset();
	strcpy(dir, "/tmp/sluice-test-XXXXXX");
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

/* Reads a whole file in the test's directory. */
static const char *
contents(const char *name)
{
	static char text[1 << 20];
	char path[128];
	size_t len;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if ((file = fopen(path, "r")) == NULL)
		return NULL;
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	fclose(file);
	return text;
}

static struct access_log *
open_log(const char *target)
{
	char format[] = "$status";
	struct settings settings = {
		.log = { .format = ACCESS_CUSTOM, .custom = format },
	};
	struct access_log *log;
	char path[128];

	snprintf(path, sizeof(path), "%s", target);
	settings.log.access = path;
	assert_int_equal(access_log_open(&settings, &log), 0);
	return log;
}

static struct access_log *
open_file_log(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return open_log(path);
}

static void
add_status(struct access_log *log, unsigned int status)
{
	struct access_record record = plain_record();

	record.status = status;
	access_log_add(log, &record);
}

static void
lines_wait_for_the_flush(void **state)
{
	struct access_log *log = open_file_log("access.log");

	(void)state;
	add_status(log, 200);
	add_status(log, 404);
	assert_string_equal(contents("access.log"), "");
	access_log_flush(log);
	assert_string_equal(contents("access.log"), "200\n404\n");
	add_status(log, 500);
	access_log_close(&log);
	assert_null(log);
	assert_string_equal(contents("access.log"), "200\n404\n500\n");
}

static void
a_full_block_is_written(void **state)
{
	struct access_log *log = open_file_log("access.log");

	(void)state;
	for (int i = 0; i < 16384; i++)
		add_status(log, 200);
	assert_int_equal(strlen(contents("access.log")), 65536);
	access_log_close(&log);
}

static void
reopening_follows_the_rotation(void **state)
{
	struct access_log *log = open_file_log("access.log");
	char from[128], to[128];

	(void)state;
	add_status(log, 200);
	snprintf(from, sizeof(from), "%s/access.log", dir);
	snprintf(to, sizeof(to), "%s/access.log.1", dir);
	assert_int_equal(rename(from, to), 0);
	access_log_reopen(log);
	add_status(log, 404);
	access_log_close(&log);
	assert_string_equal(contents("access.log.1"), "200\n");
	assert_string_equal(contents("access.log"), "404\n");
}

static void
a_failed_reopening_keeps_the_old_file(void **state)
{
	struct access_log *log;
	char path[128], moved[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/logs", dir);
	snprintf(moved, sizeof(moved), "%s/moved", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	log = open_file_log("logs/access.log");
	assert_int_equal(rename(path, moved), 0);
	log_set_level(LOG_LEVEL_ERROR);
	access_log_reopen(log);
	add_status(log, 200);
	access_log_close(&log);
	assert_string_equal(contents("moved/access.log"), "200\n");
}

static void
a_full_disk_drops_and_counts(void **state)
{
	struct access_log *log = open_log("/dev/full");

	(void)state;
	for (int i = 0; i < 3; i++)
		add_status(log, 200);
	access_log_flush(log);
	assert_int_equal(access_log_dropped_count(log), 3);
	add_status(log, 200);
	access_log_flush(log);
	assert_int_equal(access_log_dropped_count(log), 4);
	access_log_close(&log);
}

/* Takes all that is in the pipe. */
static const char *
drain_pipe(int fd)
{
	static char text[1 << 20];
	size_t len = 0;
	ssize_t got;

	while ((got = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = '\0';
	return text;
}

static void
nobody_waits_for_a_reader(void **state)
{
	struct access_log *log;
	char path[128];
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_true((fd = open(path, O_RDONLY | O_NONBLOCK)) != -1);
	log = open_log(path);
	for (int i = 0; i < 50000; i++)
		add_status(log, 200);
	access_log_flush(log);
	assert_true(access_log_dropped_count(log) > 0);
	assert_int_equal(strlen(drain_pipe(fd)) / 4 +
	    access_log_dropped_count(log), 50000);

	add_status(log, 404);		/* and goes on when there is room */
	access_log_close(&log);
	assert_string_equal(drain_pipe(fd), "404\n");
	close(fd);
}

static void
a_shared_pipe_is_not_waited_for(void **state)
{
	struct access_log *log;
	int pipe_fds[2], old_stderr = dup(STDERR_FILENO);
	uint64_t dropped;

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	dup2(pipe_fds[1], STDERR_FILENO);
	log = open_log("stderr");
	for (int i = 0; i < 50000; i++)
		add_status(log, 200);
	dup2(old_stderr, STDERR_FILENO); /* before anything else is said */
	dropped = access_log_dropped_count(log);
	access_log_close(&log);
	close(old_stderr);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	assert_true(dropped > 0);
}

static void
off_drops_silently(void **state)
{
	struct access_log *log = open_log("off");

	(void)state;
	add_status(log, 200);
	access_log_flush(log);
	access_log_reopen(log);
	assert_int_equal(access_log_dropped_count(log), 0);
	access_log_close(&log);
}

static void
what_cannot_be_opened_is_told(void **state)
{
	char path[] = "/nonexistent/access.log", off[] = "off";
	char format[] = "$nothing";
	struct settings settings = { .log = { .access = path } };
	struct access_log *log;

	(void)state;
	assert_int_equal(access_log_open(&settings, &log), -1);
	assert_int_equal(errno, ENOENT);
	assert_null(log);
	settings.log.access = off;
	settings.log.format = ACCESS_CUSTOM;
	settings.log.custom = format;
	assert_int_equal(access_log_open(&settings, &log), -1);
	assert_int_equal(errno, EINVAL);
}

#define CASE(f)	     cmocka_unit_test(f)
#define FILE_CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static int
use_utc(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(combined_is_what_nginx_writes),
		CASE(an_escape_is_found_wherever_it_stands),
		CASE(what_is_missing_is_a_dash),
		CASE(combined_escapes_by_its_table),
		CASE(the_local_time_has_its_offset),
		CASE(the_clock_follows_each_second),
		CASE(json_has_all_fields),
		CASE(json_says_null_for_what_never_was),
		CASE(json_escapes_by_its_table),
		CASE(custom_fills_variables_in),
		CASE(a_format_is_checked),
		CASE(a_long_line_is_cut),
		FILE_CASE(lines_wait_for_the_flush),
		FILE_CASE(a_full_block_is_written),
		FILE_CASE(reopening_follows_the_rotation),
		FILE_CASE(a_failed_reopening_keeps_the_old_file),
		FILE_CASE(a_full_disk_drops_and_counts),
		FILE_CASE(nobody_waits_for_a_reader),
		FILE_CASE(a_shared_pipe_is_not_waited_for),
		FILE_CASE(off_drops_silently),
		FILE_CASE(what_cannot_be_opened_is_told),
	};

	return cmocka_run_group_tests(tests, use_utc, NULL);
}
