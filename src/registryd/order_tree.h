/*
 * registryd/order_tree.h - objects in the order of their keys.
 *
 * A treap whose nodes stand inside the objects: finding, inserting and
 * removing cost O(log n), and a walk can begin behind any key, which is
 * what a page of a list asks for.  Keys are unique.
 *
 * Source: Seidel, Aragon, "Randomized search trees", 1996.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_ORDER_TREE_H
#define REGISTRYD_ORDER_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "common/compat.h"
#include "common/random.h"

struct order_node {
	struct order_node *left, *right;
	uint64_t rank;
};

/* Below, at or above zero as key stands before, at or behind the node. */
typedef int order_compare_fn(const void *key, const struct order_node *);

struct order_tree {
	struct order_node *root;
	order_compare_fn *compare;
	struct random_stream random;
	size_t count;
};

void order_init(struct order_tree *, order_compare_fn *);

/* NULL when there is none. */
struct order_node *order_find(const struct order_tree *, const void *key);
/* The first node behind key; NULL key: the first of all. */
struct order_node *order_after(const struct order_tree *, const void *key);

/* The key, which must not be in the tree yet, is the node's own. */
void order_insert(struct order_tree *, const void *key, struct order_node *);
/* Returns the node taken out, NULL when there was none. */
struct order_node *order_remove(struct order_tree *, const void *key);

/* Any node, taken out: to free them all.  NULL when empty. */
struct order_node *order_take(struct order_tree *);

#endif
