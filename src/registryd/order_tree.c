/*
 * registryd/order_tree.c - objects in the order of their keys.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/order_tree.h"

void
order_init(struct order_tree *tree, order_compare_fn *compare)
{
	*tree = (struct order_tree){ .compare = compare };
	random_fill(&tree->random, sizeof(tree->random));
}

struct order_node *
order_find(const struct order_tree *tree, const void *key)
{
	struct order_node *node = tree->root;

	while (node != NULL) {
		int order = tree->compare(key, node);

		if (order == 0)
			return node;
		node = order < 0 ? node->left : node->right;
	}
	return NULL;
}

struct order_node *
order_after(const struct order_tree *tree, const void *key)
{
	struct order_node *node = tree->root, *best = NULL;

	while (node != NULL) {
		if (key == NULL || tree->compare(key, node) < 0) {
			best = node;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return best;
}

void
order_insert(struct order_tree *tree, const void *key, struct order_node *node)
{
	struct order_node **link = &tree->root, *rest;
	struct order_node **left = &node->left, **right = &node->right;

	node->rank = random_next(&tree->random);
	while (*link != NULL && (*link)->rank >= node->rank)
		link = tree->compare(key, *link) < 0 ? &(*link)->left :
						       &(*link)->right;
	rest = *link;
	*link = node;
	while (rest != NULL) {
		if (tree->compare(key, rest) < 0) {
			*right = rest;
			right = &rest->left;
			rest = rest->left;
		} else {
			*left = rest;
			left = &rest->right;
			rest = rest->right;
		}
	}
	*left = *right = NULL;
	tree->count++;
}

/* Puts the two subtrees of a node that leaves in its place. */
static void
merge(struct order_node **link, struct order_node *left,
    struct order_node *right)
{
	while (left != NULL && right != NULL) {
		if (left->rank > right->rank) {
			*link = left;
			link = &left->right;
			left = left->right;
		} else {
			*link = right;
			link = &right->left;
			right = right->left;
		}
	}
	*link = left != NULL ? left : right;
}

struct order_node *
order_remove(struct order_tree *tree, const void *key)
{
	struct order_node **link = &tree->root, *node;
	int order;

	while ((node = *link) != NULL &&
	    (order = tree->compare(key, node)) != 0)
		link = order < 0 ? &node->left : &node->right;
	if (node == NULL)
		return NULL;
	merge(link, node->left, node->right);
	tree->count--;
	return node;
}

/* What is left of the root goes above it first, so that all of a tree is
 * taken in as many steps as it has nodes, and as many again. */
struct order_node *
order_take(struct order_tree *tree)
{
	struct order_node *node = tree->root, *left;

	if (node == NULL)
		return NULL;
	while ((left = node->left) != NULL) {
		node->left = left->right;
		left->right = node;
		node = left;
	}
	tree->root = node->right;
	tree->count--;
	return node;
}
