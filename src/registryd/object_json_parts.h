/*
 * registryd/object_json_parts.h - for the files service_json.c,
 * backend_json.c and route_json.c only: what they have in common.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_OBJECT_JSON_PARTS_H
#define REGISTRYD_OBJECT_JSON_PARTS_H

#include "common/clock.h"
#include "registryd/condition_json.h"
#include "registryd/object_json.h"

#define SCHEMA_STRING  "{\"type\":\"string\"}"
#define SCHEMA_INTEGER "{\"type\":\"integer\"}"
#define SCHEMA_TIME    "{\"type\":\"string\",\"format\":\"date-time\"}"

/* The rows that say how an object came to be; of type x, the object. */
#define MEMBER_ROWS_OF_RECORD(x)                                               \
	{ .name = "origin", .kind = MEMBER_SHOWN, .write = x##_write_origin,   \
	    .schema = SCHEMA_STRING,                                           \
	    .help = "How it came to be: api, register, file, session." },      \
	{ .name = "version", .kind = MEMBER_SHOWN,                             \
	    .write = x##_write_version, .schema = SCHEMA_INTEGER,              \
	    .help = "The generation of its latest change; the ETag." },        \
	{ .name = "created_at", .kind = MEMBER_SHOWN,                          \
	    .write = x##_write_created, .schema = SCHEMA_TIME,                 \
	    .help = "When it was made, UTC." },                                \
	{ .name = "updated_at", .kind = MEMBER_SHOWN,                          \
	    .write = x##_write_updated, .schema = SCHEMA_TIME,                 \
	    .help = "When it was last changed, UTC." },                        \
	{ .name = "maintenance", .kind = MEMBER_SHOWN,                         \
	    .write = x##_write_maintenance, .is_shown = x##_is_ordered,        \
	    .schema = "{\"$ref\":\"#/components/schemas/Maintenance\"}",       \
	    .help = "Its maintenance, while there is a condition." },          \
	{ .name = "drain", .kind = MEMBER_SHOWN,                               \
	    .write = x##_write_drain, .is_shown = x##_is_ordered,              \
	    .schema = "{\"$ref\":\"#/components/schemas/Drain\"}",             \
	    .help = "Its drain, while there is a condition." }

/* The functions of these rows. */
#define MEMBER_RECORD_FUNCTIONS(x)                                             \
	static void x##_write_origin(struct json_writer *writer,               \
	    const void *object)                                                \
	{                                                                      \
		object_write_origin(writer,                                    \
		    ((const struct x *)object)->origin);                       \
	}                                                                      \
	static void x##_write_version(struct json_writer *writer,              \
	    const void *object)                                                \
	{                                                                      \
		json_write_integer(writer,                                     \
		    (int64_t)((const struct x *)object)->times.version);       \
	}                                                                      \
	static void x##_write_created(struct json_writer *writer,              \
	    const void *object)                                                \
	{                                                                      \
		object_write_time(writer,                                      \
		    ((const struct x *)object)->times.created_wall_ms);        \
	}                                                                      \
	static void x##_write_updated(struct json_writer *writer,              \
	    const void *object)                                                \
	{                                                                      \
		object_write_time(writer,                                      \
		    ((const struct x *)object)->times.updated_wall_ms);        \
	}                                                                      \
	static bool x##_is_ordered(const void *object)                         \
	{                                                                      \
		return !condition_is_none(                                     \
		    &((const struct x *)object)->condition);                   \
	}                                                                      \
	static void x##_write_maintenance(struct json_writer *writer,          \
	    const void *object)                                                \
	{                                                                      \
		maintenance_write(writer,                                      \
		    &((const struct x *)object)->condition);                   \
	}                                                                      \
	static void x##_write_drain(struct json_writer *writer,                \
	    const void *object)                                                \
	{                                                                      \
		drain_write(writer, &((const struct x *)object)->condition);   \
	}

/* -1, with the problem said. */
int object_out_of_memory(struct problem *);

MUST_CHECK int object_read(const struct members *, struct bytes json,
    bool is_merge, void *object, struct problem *);

/* route_headers.c: a member_read_fn and a member_write_fn. */
MUST_CHECK int route_read_headers(const struct member_input *, int value,
    void *object);
void route_write_headers(struct json_writer *, const void *object);

/* A member that is an object of members of the same C object; value
 * JSON_NONE: its defaults.  pointer: where it stands. */
MUST_CHECK int object_read_nested(const struct members *,
    const struct member_input *, int value, const char *pointer,
    void *object);

void object_write_origin(struct json_writer *, enum object_origin);
void object_write_time(struct json_writer *, int64_t wall_ms);

#endif
