/*
 * tests/unit/registryd/test_pages.c - /metrics and /openapi.json.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/json.h"
#include "registryd/api.h"
#include "registryd/metrics.h"
#include "registryd/openapi.h"
#include "shm/worker_stats.h"

static void
labels_are_escaped(void **state)
{
	const struct metric_label label = { "route",
		BYTES_LITERAL("a\"b\\c\nd") };
	struct buf buf = { 0 };

	(void)state;
	metric_integer(&buf, metric_row(METRIC_HTTP_REQUESTS), "", &label, 1,
	    7);
	assert_string_equal(buf.data,
	    "sluice_http_requests_total{route=\"a\\\"b\\\\c\\nd\"} 7\n");
	buf_free(&buf);
}

static void
a_metric_begins_with_help_and_type(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	metric_begin(&buf, metric_row(METRIC_STORE_UP));
	metric_integer(&buf, metric_row(METRIC_STORE_UP), "", NULL, 0, 1);
	assert_string_equal(buf.data,
	    "# HELP sluice_store_up 1 if the store can be reached.\n"
	    "# TYPE sluice_store_up gauge\n"
	    "sluice_store_up 1\n");
	buf_free(&buf);
}

static void
a_histogram_is_cumulative_and_in_seconds(void **state)
{
	uint64_t buckets[STATS_BUCKETS] = { [0] = 1, [1] = 2,
		[STATS_BUCKETS - 1] = 4 };
	struct buf buf = { 0 };

	(void)state;
	metric_histogram(&buf, metric_row(METRIC_HTTP_SECONDS), NULL, 0,
	    buckets, 1500000);
	assert_non_null(strstr(buf.data,
	    "sluice_http_request_duration_seconds_bucket{le=\"0.0001\"} 3\n"));
	assert_non_null(strstr(buf.data, "_bucket{le=\"60\"} 3\n"));
	assert_non_null(strstr(buf.data, "_bucket{le=\"+Inf\"} 7\n"));
	assert_non_null(strstr(buf.data, "_sum 1.5\n"));
	assert_non_null(strstr(buf.data, "_count 7\n"));
	buf_free(&buf);
}

static void
every_endpoint_is_in_the_openapi_document(void **state)
{
	struct buf buf = { 0 };
	struct json_doc *doc;
	size_t count, offset;
	const struct api_row *rows = api_rows(&count);
	int paths;

	(void)state;
	openapi_write(&buf);
	assert_int_equal(json_parse(buf_bytes(&buf), &doc, &offset), 0);
	paths = json_member(doc, json_root(doc), "paths");
	for (size_t i = 0; i < count; i++) {
		int item = json_member(doc, paths, rows[i].path);
		char method[16] = "";

		for (size_t c = 0; rows[i].method[c] != '\0'; c++)
			method[c] = (char)(rows[i].method[c] | 0x20);
		if (json_member(doc, item, method) == JSON_NONE)
			fail_msg("%s %s", rows[i].method, rows[i].path);
	}
	json_doc_free(&doc);
	buf_free(&buf);
}

static void
find_schema(const struct json_doc *doc, const char *name)
{
	int schemas = json_member(doc,
	    json_member(doc, json_root(doc), "components"), "schemas");

	if (name != NULL && json_member(doc, schemas, name) == JSON_NONE)
		fail_msg("no schema %s", name);
}

static void
every_schema_that_is_named_is_there(void **state)
{
	struct buf buf = { 0 };
	struct json_doc *doc;
	size_t count, offset;
	const struct api_row *rows = api_rows(&count);

	(void)state;
	openapi_write(&buf);
	assert_int_equal(json_parse(buf_bytes(&buf), &doc, &offset), 0);
	for (size_t i = 0; i < count; i++) {
		find_schema(doc, rows[i].body);
		find_schema(doc, rows[i].answer);
	}
	json_doc_free(&doc);
	buf_free(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_are_escaped),
		cmocka_unit_test(a_metric_begins_with_help_and_type),
		cmocka_unit_test(a_histogram_is_cumulative_and_in_seconds),
		cmocka_unit_test(every_endpoint_is_in_the_openapi_document),
		cmocka_unit_test(every_schema_that_is_named_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
