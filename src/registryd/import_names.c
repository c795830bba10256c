/*
 * registryd/import_names.c - what a document names, to see what it does not.
 */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registryd/import.h"

/* "NAME" is a service, "NAME\tURL" a backend: neither has a tab. */
static char *
name_of(const char *service, const char *url)
{
	char *name;

	if (asprintf(&name, "%s%s%s", service, url == NULL ? "" : "\t",
		url == NULL ? "" : url) == -1)
		return NULL;
	return name;
}

int
import_add_name(struct import *import, const char *service, const char *url)
{
	struct names *names = &import->names;
	size_t size = names->size == 0 ? 64 : names->size * 2;
	char **list;

	if (names->count == names->size) {
		list = realloc(names->list, size * sizeof(*list));
		if (list == NULL)
			return import_out_of_memory(import);
		names->list = list;
		names->size = size;
	}
	names->list[names->count] = name_of(service, url);
	if (names->list[names->count] == NULL)
		return import_out_of_memory(import);
	names->count++;
	return 0;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts the names; 0, or -1: one of them was there twice. */
int
import_sort_names(struct import *import)
{
	struct names *names = &import->names;

	if (names->count > 0)
		qsort(names->list, names->count, sizeof(*names->list),
		    compare_names);
	for (size_t i = 1; i < names->count; i++) {
		char *name = names->list[i], *tab = strchr(name, '\t');

		if (strcmp(names->list[i - 1], name) != 0)
			continue;
		if (tab != NULL)
			*tab = ' ';
		return problem_set(&import->write->problem, 422, "invalid",
		    NULL, "\"%s\" stands in the document twice", name);
	}
	return 0;
}

bool
import_is_named(const struct import *import, const char *service,
    const char *url)
{
	char *name = name_of(service, url);
	bool is_it = name == NULL ||	/* rather keep it than not */
	    (import->names.count > 0 &&
		bsearch(&name, import->names.list, import->names.count,
		    sizeof(*import->names.list), compare_names) != NULL);

	free(name);
	return is_it;
}
