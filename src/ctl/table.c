/*
 * ctl/table.c - rows and columns for people, from JSON or from values.
 */
/* SPDX-License-Identifier: ISC */
#include "ctl/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

struct table {
	const struct table_column *columns;
	uint32_t column_count;
	table_name_fn *name;
	char **cells;			/* row by row */
	size_t cell_count, cell_size;
};

struct table *
table_new(const struct table_column *columns, uint32_t column_count)
{
	struct table *table = calloc(1, sizeof(*table));

	if (table == NULL)
		return NULL;
	table->columns = columns;
	table->column_count = column_count;
	return table;
}

void
table_set_name(struct table *table, table_name_fn *name)
{
	table->name = name;
}

void
table_free(struct table **p)
{
	struct table *table = *p;

	*p = NULL;
	if (table == NULL)
		return;
	for (size_t i = 0; i < table->cell_count; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}

void
table_cell(struct table *table, const char *text)
{
	if (table->cell_count == table->cell_size) {
		size_t size = table->cell_size == 0 ? 64 : table->cell_size * 2;
		char **cells = realloc(table->cells, size * sizeof(*cells));

		if (cells == NULL)
			fatal(EX_OSERR, "table: out of memory");
		table->cells = cells;
		table->cell_size = size;
	}
	if ((table->cells[table->cell_count] = strdup(text)) == NULL)
		fatal(EX_OSERR, "table: out of memory");
	table->cell_count++;
}

void
table_cell_number(struct table *table, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	table_cell(table, text);
}

/* Follows "a.b.c" down from an object. */
static int
find_member(const struct json_doc *doc, int object, const char *path)
{
	struct bytes rest = bytes_of(path), name;
	char key[64];

	while (object != JSON_NONE && bytes_next_field(&rest, '.', &name)) {
		snprintf(key, sizeof(key), "%.*s", BYTES_ARGS(name));
		object = json_member(doc, object, key);
	}
	return object;
}

/* Of a route's targets people want the service's name. */
static int
name_of(const struct json_doc *doc, int value)
{
	int name = json_type(doc, value) == JSON_OBJECT
		       ? json_member(doc, value, "service")
		       : JSON_NONE;

	return name == JSON_NONE ? value : name;
}

/* Writes a value as a person would: lists by commas, no quotes. */
static void
print_value(const struct json_doc *doc, int value, struct buf *text)
{
	int element = JSON_NONE;
	char *string;

	switch (json_type(doc, value)) {
	case JSON_STRING:
		string = json_string(doc, value);
		buf_append_text(text, string == NULL ? "?" : string);
		free(string);
		return;
	case JSON_ARRAY:
		while (json_each(doc, value, &element, NULL)) {
			if (text->len > 0)
				buf_append_char(text, ',');
			print_value(doc, name_of(doc, element), text);
		}
		return;
	case JSON_NULL:
		return;
	case JSON_BOOL:
		buf_append_text(text,
		    bytes_is(json_raw(doc, value), "true") ? "yes" : "no");
		return;
	case JSON_NUMBER:
	case JSON_OBJECT:
		buf_append(text, json_raw(doc, value));
		return;
	}
}

void
table_row_json(struct table *table, const struct json_doc *doc, int object)
{
	for (uint32_t i = 0; i < table->column_count; i++) {
		const struct table_column *column = &table->columns[i];
		struct buf text = { 0 };
		int value = column->member == NULL ?
		    JSON_NONE :
		    find_member(doc, object, column->member);

		if (column->member == NULL)
			table->name(doc, object, &text);
		else if (value != JSON_NONE)
			print_value(doc, value, &text);
		table_cell(table, text.len == 0 ? "-" : text.data);
		buf_free(&text);
	}
}

static int
column_width(const struct table *table, uint32_t column)
{
	size_t width = strlen(table->columns[column].title);

	for (size_t i = column; i < table->cell_count; i += table->column_count)
		if (strlen(table->cells[i]) > width)
			width = strlen(table->cells[i]);
	return (int)width;
}

static void
print_cell(const struct table *table, uint32_t column, int width,
    const char *text)
{
	bool is_last = column + 1 == table->column_count;

	if (table->columns[column].is_number)
		printf("%*s", width, text);
	else
		printf("%-*s", is_last ? 0 : width, text);
	fputs(is_last ? "\n" : "  ", stdout);
}

void
table_print(const struct table *table)
{
	int widths[TABLE_COLUMNS_MAX];

	for (uint32_t i = 0; i < table->column_count; i++) {
		widths[i] = column_width(table, i);
		print_cell(table, i, widths[i], table->columns[i].title);
	}
	for (size_t i = 0; i < table->cell_count; i++) {
		uint32_t column = (uint32_t)(i % table->column_count);

		print_cell(table, column, widths[column], table->cells[i]);
	}
}
