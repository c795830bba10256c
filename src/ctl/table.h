/*
 * ctl/table.h - rows and columns for people, from JSON or from values.
 */
/* SPDX-License-Identifier: ISC */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/compat.h"
#include "common/json.h"

#define TABLE_COLUMNS_MAX 12

/* A column shows a member of each row's object; "a.b" goes down into a.
 * NULL: what people call the object, by table_set_name(). */
struct table_column {
	const char *title;
	const char *member;
	bool is_number;			/* set flush right */
};

struct table;

/* NULL when out of memory. */
struct table *table_new(const struct table_column *, uint32_t column_count);
void table_free(struct table **);

typedef void table_name_fn(const struct json_doc *, int object,
    struct buf *text);
void table_set_name(struct table *, table_name_fn *);

/* A cell of the current row, left to right; a full row is ended by itself. */
void table_cell(struct table *, const char *text);
void table_cell_number(struct table *, uint64_t number);

/* A row from a JSON object; missing and null members are "-". */
void table_row_json(struct table *, const struct json_doc *, int object);

void table_print(const struct table *);

#endif
