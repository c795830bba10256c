/*
 * registryd/problem.c - why a request was not carried out.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/problem.h"

#include <stdio.h>

#include "common/json.h"
#include "http/head.h"

static int PRINTF_LIKE(5, 0)
set(struct problem *problem, unsigned int status, const char *word,
    const char *pointer, const char *format, va_list args)
{
	*problem = (struct problem){ .status = status, .word = word };
	if (pointer != NULL)
		snprintf(problem->pointer, sizeof(problem->pointer), "%s",
		    pointer);
	vsnprintf(problem->detail, sizeof(problem->detail), format, args);
	return -1;
}

int
problem_set(struct problem *problem, unsigned int status, const char *word,
    const char *pointer, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(problem, status, word, pointer, format, args);
	va_end(args);
	return -1;
}

int
problem_invalid(struct problem *problem, const char *pointer,
    const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(problem, 422, "invalid_member", pointer, format, args);
	va_end(args);
	return -1;
}

void
problem_prefix_pointer(struct problem *problem, const char *prefix)
{
	char pointer[2 * sizeof(problem->pointer)];

	snprintf(pointer, sizeof(pointer), "%.100s%s", prefix,
	    problem->pointer);
	snprintf(problem->pointer, sizeof(problem->pointer), "%.*s",
	    (int)sizeof(problem->pointer) - 1, pointer);
}

static void
write_errors(const struct problem *problem, struct json_writer *writer)
{
	char fragment[sizeof(problem->pointer) + 1];

	snprintf(fragment, sizeof(fragment), "#%s", problem->pointer);
	json_write_key(writer, "errors");
	json_write_begin(writer, '[');
	json_write_begin(writer, '{');
	json_write_key(writer, "pointer");
	json_write_text(writer, fragment);
	json_write_key(writer, "detail");
	json_write_text(writer, problem->detail);
	json_write_end(writer, '}');
	json_write_end(writer, ']');
}

void
problem_write(const struct problem *problem, struct buf *buf)
{
	struct json_writer writer = json_writer(buf);

	json_write_begin(&writer, '{');
	json_write_key(&writer, "type");
	json_write_text(&writer, "about:blank");
	json_write_key(&writer, "title");
	json_write_text(&writer, http_status_phrase(problem->status));
	json_write_key(&writer, "status");
	json_write_integer(&writer, problem->status);
	json_write_key(&writer, "reason");
	json_write_text(&writer, problem->word);
	json_write_key(&writer, "detail");
	json_write_text(&writer, problem->detail);
	if (problem->pointer[0] != '\0')
		write_errors(problem, &writer);
	if (problem->owner[0] != '\0') {
		json_write_key(&writer, "owner");
		json_write_begin(&writer, '{');
		json_write_key(&writer, "service");
		json_write_text(&writer, problem->owner);
		json_write_key(&writer, "route");
		json_write_integer(&writer, (int64_t)problem->owner_route);
		json_write_end(&writer, '}');
	}
	json_write_end(&writer, '}');
}
