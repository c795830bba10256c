/*
 * registryd/model_parts.h - what the files of the model share.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_MODEL_PARTS_H
#define REGISTRYD_MODEL_PARTS_H

#include "registryd/model.h"

/* An object is in the list of those with a condition while it has one. */
#define LIST_DROP(node)                                                        \
	do {                                                                   \
		if ((node)->is_ordered)                                        \
			LIST_REMOVE(node, ordered);                            \
		(node)->is_ordered = false;                                    \
	} while (0)
#define LIST_KEEP(list, node)                                                  \
	do {                                                                   \
		LIST_DROP(node);                                               \
		if (condition_is_none(&(node)->object.condition))              \
			break;                                                 \
		LIST_INSERT_HEAD(list, node, ordered);                         \
		(node)->is_ordered = true;                                     \
	} while (0)

/* model_route.c: of a path that is in no index. */
void model_free_path(struct model_path *);

#endif
