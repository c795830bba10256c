/*
 * registryd/service_json.c - a service as JSON, and what makes one valid.
 */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "registryd/object_json_parts.h"

#define DAY_MS (24 * 60 * 60 * INT64_C(1000))
#define BREAKER_THRESHOLD_MAX 10000

MEMBER_RECORD_FUNCTIONS(service)

static const char *
policy_word(unsigned int value)
{
	return balance_policy_name((enum balance_policy)value);
}

static const char *
probe_word(unsigned int value)
{
	return probe_kind_name((enum probe_kind)value);
}

static const struct member probe_rows[] = {
	{ .name = "kind", .kind = MEMBER_WORD,
	    .offset = offsetof(struct service, probe_kind),
	    .max = PROBE_HTTP + 1, .preset = PROBE_CONNECT, .word = probe_word,
	    .help = "How backends are probed." },
	{ .name = "path", .kind = MEMBER_TEXT,
	    .offset = offsetof(struct service, probe_path), .max = 1024,
	    .help = "What an HTTP probe asks for, behind the backend's own "
		    "path." },
	{ .name = "host", .kind = MEMBER_TEXT,
	    .offset = offsetof(struct service, probe_host), .max = 255,
	    .help = "The Host of an HTTP probe; empty: the backend's." },
	{ .name = "interval_ms", .kind = MEMBER_U32,
	    .offset = offsetof(struct service, probe_interval_ms),
	    .max = DAY_MS, .help = "Between probes; 0: health.interval." },
	{ .name = "timeout_ms", .kind = MEMBER_U32,
	    .offset = offsetof(struct service, probe_timeout_ms),
	    .max = DAY_MS, .help = "For one probe; 0: health.timeout." },
	{ .name = "rise", .kind = MEMBER_U32,
	    .offset = offsetof(struct service, probe_rise), .max = 1000,
	    .help = "Good probes in a row that bring it up; 0: health.rise." },
	{ .name = "fall", .kind = MEMBER_U32,
	    .offset = offsetof(struct service, probe_fall), .max = 1000,
	    .help = "Bad probes in a row that take it down; 0: health.fall." },
	{ .name = "status_min", .kind = MEMBER_U32,
	    .offset = offsetof(struct service, probe_status_min), .min = 100,
	    .max = 599, .preset = 200,
	    .help = "Lowest status that counts as good." },
	{ .name = "status_max", .kind = MEMBER_U32,
	    .offset = offsetof(struct service, probe_status_max), .min = 100,
	    .max = 599, .preset = 399,
	    .help = "Highest status that counts as good." },
};

static const struct members probe_members = { probe_rows,
	COUNT_OF(probe_rows), NULL };

static int
read_probe(const struct member_input *input, int value, void *object)
{
	return object_read_nested(&probe_members, input, value, "/probe",
	    object);
}

static void
write_probe(struct json_writer *writer, const void *object)
{
	members_write(&probe_members, writer, object);
}

static const struct member breaker_rows[] = {
	{ .name = "threshold", .kind = MEMBER_U32,
	    .offset = offsetof(struct service, breaker.threshold),
	    .max = BREAKER_THRESHOLD_MAX,
	    .help = "Failures that open it; 0: there is no breaker." },
	{ .name = "open_ms", .kind = MEMBER_U32,
	    .offset = offsetof(struct service, breaker.open_ms), .min = 1,
	    .max = DAY_MS, .preset = 30000,
	    .help = "How long it stays open before trials go out." },
	{ .name = "half_open_requests", .kind = MEMBER_U32,
	    .offset = offsetof(struct service, breaker.half_open_requests),
	    .min = 1, .max = 1000, .preset = 1,
	    .help = "Trials that are let through; all must go well." },
	{ .name = "window_ms", .kind = MEMBER_U32,
	    .offset = offsetof(struct service, breaker.window_ms),
	    .max = DAY_MS,
	    .help = "0: failures in a row count; else those within it." },
};

static const struct members breaker_members = { breaker_rows,
	COUNT_OF(breaker_rows), NULL };

const struct members *
members_of_breaker(void)
{
	return &breaker_members;
}

static int
read_breaker(const struct member_input *input, int value, void *object)
{
	return object_read_nested(&breaker_members, input, value, "/breaker",
	    object);
}

static void
write_breaker(struct json_writer *writer, const void *object)
{
	members_write(&breaker_members, writer, object);
}

static const struct member service_rows[] = {
	{ .name = "name", .kind = MEMBER_TEXT,
	    .offset = offsetof(struct service, name), .max = TABLE_NAME_MAX,
	    .help = "The key: no '/', no control character." },
	{ .name = "policy", .kind = MEMBER_WORD,
	    .offset = offsetof(struct service, policy),
	    .max = BALANCE_HASH_HEADER + 1, .preset = BALANCE_ROUND_ROBIN,
	    .word = policy_word, .help = "How a backend is picked." },
	{ .name = "hash_header", .kind = MEMBER_TEXT,
	    .offset = offsetof(struct service, hash_header), .max = 255,
	    .help = "The request field that policy hash_header looks at." },
	{ .name = "connect_timeout_ms", .kind = MEMBER_U32,
	    .offset = offsetof(struct service, connect_timeout_ms),
	    .max = DAY_MS, .help = "0: http.connect_timeout." },
	{ .name = "response_timeout_ms", .kind = MEMBER_U32,
	    .offset = offsetof(struct service, response_timeout_ms),
	    .max = DAY_MS, .help = "0: http.backend_timeout." },
	{ .name = "queue_timeout_ms", .kind = MEMBER_U32,
	    .offset = offsetof(struct service, queue_timeout_ms),
	    .max = DAY_MS, .help = "0: http.queue_timeout." },
	{ .name = "retries", .kind = MEMBER_U32,
	    .offset = offsetof(struct service, retries), .max = 1, .preset = 1,
	    .help = "Other backends that a request may be tried on." },
	{ .name = "probe", .kind = MEMBER_CUSTOM, .read = read_probe,
	    .write = write_probe,
	    .schema = "{\"$ref\":\"#/components/schemas/Probe\"}",
	    .help = "How backends are probed." },
	{ .name = "breaker", .kind = MEMBER_CUSTOM, .read = read_breaker,
	    .write = write_breaker,
	    .schema = "{\"$ref\":\"#/components/schemas/Breaker\"}",
	    .help = "When a backend is left alone for its failures." },
	MEMBER_ROWS_OF_RECORD(service),
};

static const struct members service_members = { service_rows,
	COUNT_OF(service_rows), "[\"name\"]" };

const struct members *
members_of_service(void)
{
	return &service_members;
}

const struct members *
members_of_probe(void)
{
	return &probe_members;
}

int
service_init(struct service *service, struct problem *problem)
{
	*service = (struct service){ .origin = ORIGIN_API };
	if (members_preset(&service_members, service, problem) == 0)
		return 0;
	service_clear(service);
	return -1;
}

int
service_read(struct bytes json, bool is_merge, struct service *service,
    struct problem *problem)
{
	return object_read(&service_members, json, is_merge, service, problem);
}

void
service_write(struct json_writer *writer, const struct service *service)
{
	members_write(&service_members, writer, service);
}

int
service_name_check(const char *name, const char *pointer,
    struct problem *problem)
{
	size_t len = strlen(name);

	if (len == 0 || len > TABLE_NAME_MAX)
		return problem_invalid(problem, pointer,
		    "a service needs a name of 1 to %d bytes", TABLE_NAME_MAX);
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return problem_invalid(problem, pointer,
		    "\"%s\" is not usable as a name", name);
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)name[i];

		if (byte < ' ' || byte == 0x7f || byte == '/')
			return problem_invalid(problem, pointer,
			    "a name must not contain '/' or control "
			    "characters");
	}
	return 0;
}

static bool
is_field_name(const char *text)
{
	return text[0] != '\0' &&
	    text[strspn(text, "abcdefghijklmnopqrstuvwxyz"
			      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			      "0123456789!#$%&'*+-.^_`|~")] == '\0';
}

static bool
is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return false;
	return true;
}

static int
check_probe(const struct service *service, struct problem *problem)
{
	if (service->probe_kind == PROBE_HTTP && service->probe_path[0] != '/')
		return problem_invalid(problem, "/probe/path",
		    "an HTTP probe needs a path that begins with '/'");
	if (!is_printable(service->probe_path))
		return problem_invalid(problem, "/probe/path",
		    "a path must not contain blanks or control characters");
	if (!is_printable(service->probe_host))
		return problem_invalid(problem, "/probe/host",
		    "a host must not contain blanks or control characters");
	if (service->probe_status_min > service->probe_status_max)
		return problem_invalid(problem, "/probe/status_min",
		    "status_min is over status_max");
	return 0;
}

int
service_check(const struct service *service, struct problem *problem)
{
	if (service_name_check(service->name, "/name", problem) == -1)
		return -1;
	if (service->policy == BALANCE_HASH_HEADER &&
	    !is_field_name(service->hash_header))
		return problem_invalid(problem, "/hash_header",
		    "policy hash_header needs hash_header, the name of a "
		    "request field");
	return check_probe(service, problem);
}
