/*
 * tests/unit/registryd/test_path_index.c - paths by (domain, prefix).
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/random.h"
#include "registryd/model.h"

#define COUNT 500

static struct model_path paths[COUNT];
static char prefixes[COUNT][16];
static bool is_in[COUNT];

static void
make_paths(void)
{
	static char domain[] = "h";

	for (size_t i = 0; i < COUNT; i++) {
		snprintf(prefixes[i], sizeof(prefixes[i]), "/%zu", i);
		paths[i].domain = domain;
		paths[i].prefix = prefixes[i];
		paths[i].hash = path_hash(bytes_of(domain),
		    bytes_of(prefixes[i]));
	}
}

static struct model_path *
find(const struct path_index *index, size_t i)
{
	return path_index_find(index, bytes_of(paths[i].domain),
	    bytes_of(paths[i].prefix));
}

static void
what_is_in_is_found_and_nothing_else(void **state)
{
	struct random_stream random = { 11 };
	struct path_index index = { 0 };
	size_t count = 0;

	(void)state;
	make_paths();
	for (int step = 0; step < 40 * COUNT; step++) {
		size_t i = random_below(&random, COUNT);

		if (is_in[i])
			path_index_remove(&index, &paths[i]);
		else
			assert_int_equal(path_index_insert(&index, &paths[i]),
			    0);
		is_in[i] = !is_in[i];
		i = random_below(&random, COUNT);
		assert_ptr_equal(find(&index, i), is_in[i] ? &paths[i] : NULL);
	}
	for (size_t i = 0; i < COUNT; i++) {
		assert_ptr_equal(find(&index, i), is_in[i] ? &paths[i] : NULL);
		count += is_in[i];
	}
	assert_int_equal(index.count, count);
	while (path_index_take(&index) != NULL)
		count--;
	assert_int_equal(count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_in_is_found_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
