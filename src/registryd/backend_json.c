/*
 * registryd/backend_json.c - a backend as JSON, and what makes one valid.
 */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "http/url.h"
#include "registryd/object_json_parts.h"

MEMBER_RECORD_FUNCTIONS(backend)

static void
write_id(struct json_writer *writer, const void *object)
{
	json_write_integer(writer,
	    (int64_t)((const struct backend *)object)->id);
}

static void
write_service(struct json_writer *writer, const void *object)
{
	json_write_text(writer, ((const struct backend *)object)->service);
}

static const struct member backend_rows[] = {
	{ .name = "id", .kind = MEMBER_SHOWN, .write = write_id,
	    .schema = SCHEMA_INTEGER, .help = "The key, given by the store." },
	{ .name = "service", .kind = MEMBER_SHOWN, .write = write_service,
	    .schema = SCHEMA_STRING, .help = "Whom it serves." },
	{ .name = "url", .kind = MEMBER_TEXT,
	    .offset = offsetof(struct backend, url), .max = 2048,
	    .help = "http://host[:port][/path] or unix:/path[:/path]." },
	{ .name = "weight", .kind = MEMBER_U32,
	    .offset = offsetof(struct backend, weight), .max = 65535,
	    .preset = 1, .help = "Its share; 0 takes no traffic." },
	{ .name = "max_connections", .kind = MEMBER_U32,
	    .offset = offsetof(struct backend, max_connections),
	    .max = UINT32_MAX,
	    .help = "Requests at once, of one worker; 0: unlimited." },
	MEMBER_ROWS_OF_RECORD(backend),
};

static const struct members backend_members = { backend_rows,
	COUNT_OF(backend_rows), "[\"url\"]" };

const struct members *
members_of_backend(void)
{
	return &backend_members;
}

int
backend_init(struct backend *backend, struct problem *problem)
{
	*backend = (struct backend){ .origin = ORIGIN_API };
	if (members_preset(&backend_members, backend, problem) == -1) {
		backend_clear(backend);
		return -1;
	}
	if (text_set(&backend->service, bytes_of("")) == -1) {
		backend_clear(backend);
		return object_out_of_memory(problem);
	}
	return 0;
}

int
backend_read(struct bytes json, bool is_merge, struct backend *backend,
    struct problem *problem)
{
	return object_read(&backend_members, json, is_merge, backend, problem);
}

void
backend_write(struct json_writer *writer, const struct backend *backend)
{
	members_write(&backend_members, writer, backend);
}

int
backend_check(const struct backend *backend, struct problem *problem)
{
	struct backend_url url;
	const char *fault;

	if (backend->url[0] == '\0')
		return problem_invalid(problem, "/url",
		    "a backend needs a url, such as http://127.0.0.1:9000");
	fault = url_parse_backend(bytes_of(backend->url), &url);
	if (fault != NULL)
		return problem_invalid(problem, "/url", "url: %s", fault);
	return 0;
}
