/*
 * tests/lint/print_registryd.c - what registryd's manual pages must name:
 * metrics ("metric NAME TYPE"), endpoints ("endpoint METHOD PATH") and
 * members of the API's objects ("member OBJECT NAME").
 */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "registryd/api.h"
#include "registryd/metrics.h"
#include "registryd/object_json.h"

static void
print_metric(void *context, const struct metric_row *row)
{
	(void)context;
	printf("metric\t%s\t%s\n", row->name, row->type);
}

static void
print_members(const char *object, const struct members *members)
{
	for (size_t i = 0; i < members->count; i++)
		printf("member\t%s\t%s\n", object, members->rows[i].name);
}

int
main(void)
{
	size_t count;
	const struct api_row *rows = api_rows(&count);

	metrics_each_row(print_metric, NULL);
	for (size_t i = 0; i < count; i++)
		printf("endpoint\t%s\t%s\n", rows[i].method, rows[i].path);
	print_members("service", members_of_service());
	print_members("probe", members_of_probe());
	print_members("backend", members_of_backend());
	print_members("route", members_of_route());
	return 0;
}
