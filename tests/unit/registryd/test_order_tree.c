/*
 * tests/unit/registryd/test_order_tree.c - objects in the order of keys.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdbool.h>

#include "registryd/order_tree.h"

#define COUNT 2000

struct thing {
	struct order_node node;
	uint32_t key;
	bool is_in;
};

static struct thing things[COUNT];

static struct thing *
thing_of(const struct order_node *node)
{
	return (struct thing *)(uintptr_t)node;
}

static int
compare(const void *key, const struct order_node *node)
{
	uint32_t a = *(const uint32_t *)key, b = thing_of(node)->key;

	return (a > b) - (a < b);
}

static void
check_walk(const struct order_tree *tree)
{
	struct order_node *node = order_after(tree, NULL);
	size_t count = 0;

	for (uint32_t i = 0; i < COUNT; i++) {
		if (!things[i].is_in)
			continue;
		assert_ptr_equal(node, &things[i].node);
		node = order_after(tree, &things[i].key);
		count++;
	}
	assert_null(node);
	assert_int_equal(count, tree->count);
}

static void
things_come_out_in_order_whatever_was_done(void **state)
{
	struct random_stream random = { 7 };
	struct order_tree tree;

	(void)state;
	order_init(&tree, compare);
	for (uint32_t i = 0; i < COUNT; i++)
		things[i].key = i;
	for (int step = 0; step < 20 * COUNT; step++) {
		struct thing *thing = &things[random_below(&random, COUNT)];

		if (thing->is_in)
			assert_ptr_equal(order_remove(&tree, &thing->key),
			    &thing->node);
		else
			order_insert(&tree, &thing->key, &thing->node);
		thing->is_in = !thing->is_in;
		assert_int_equal(order_find(&tree, &thing->key) != NULL,
		    thing->is_in);
	}
	check_walk(&tree);
}

static void
what_is_not_there_is_not_found(void **state)
{
	struct order_tree tree;
	uint32_t key = 3;

	(void)state;
	order_init(&tree, compare);
	assert_null(order_find(&tree, &key));
	assert_null(order_remove(&tree, &key));
	assert_null(order_after(&tree, NULL));
	assert_null(order_take(&tree));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(things_come_out_in_order_whatever_was_done),
		cmocka_unit_test(what_is_not_there_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
