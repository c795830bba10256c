/*
 * common/json.h - reading JSON (with jsmn) and writing it.
 *
 * Reading: one parse makes a document of tokens over the caller's text;
 * values are indexes into it.  Strict where jsmn is not: the whole text
 * must be one value, nesting is bounded, strings are checked for UTF-8,
 * escapes and control characters, primitives for the grammar.
 *
 * Writing: appends to a struct buf; commas and escapes are taken care of.
 *
 * Source: RFC 8259.
 */
/* SPDX-License-Identifier: ISC */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/bytes.h"
#include "common/compat.h"

/* Reading -------------------------------------------------------------- */

#define JSON_DEPTH_MAX 32
#define JSON_NONE      (-1)		/* no such value */

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json_doc;

/*
 * Parses text, which is borrowed until json_doc_free().
 * Returns 0, or -1 with *error_offset_r where in the text it went wrong
 * (text.len: it ended too soon; errno is then EINVAL, or ENOMEM).
 */
MUST_CHECK int json_parse(struct bytes text, struct json_doc **doc_r,
    size_t *error_offset_r);
void json_doc_free(struct json_doc **);

/* The value that the document is. */
int json_root(const struct json_doc *);
enum json_type json_type(const struct json_doc *, int value);

/* The member of that name (the last one of equals), or JSON_NONE, also
 * when object is JSON_NONE or no object. */
int json_member(const struct json_doc *, int object, const char *name);

/*
 * Walks an array or object: start with *next_r = JSON_NONE; false at the
 * end.  Of an object, *key_r is the raw member name (NULL: not wanted).
 */
bool json_each(const struct json_doc *, int container, int *value_r,
    struct bytes *key_r);

/* How many elements or members; 0 for other types. */
size_t json_count(const struct json_doc *, int container);

/* The value's own text, as it stands in the document. */
struct bytes json_raw(const struct json_doc *, int value);

/* The value of a string, escapes resolved, free()d by the caller; NULL if
 * the value is no string, contains U+0000, or memory ran out. */
char *json_string(const struct json_doc *, int value);

/* Each returns 0, or -1 if the value is not of that kind. */
MUST_CHECK int json_bool(const struct json_doc *, int value, bool *bool_r);
MUST_CHECK int json_integer(const struct json_doc *, int value, int64_t min,
    int64_t max, int64_t *integer_r);

/* Writing -------------------------------------------------------------- */

struct json_writer {
	struct buf *buf;
	bool needs_comma;
	bool escapes_pipe;		/* write | as \u007c */
};

static inline struct json_writer
json_writer(struct buf *buf)
{
	return (struct json_writer){ .buf = buf };
}

void json_write_begin(struct json_writer *, char bracket); /* '{' or '[' */
void json_write_end(struct json_writer *, char bracket);   /* '}' or ']' */
void json_write_key(struct json_writer *, const char *key);
/* Fixes bad UTF-8. */
void json_write_string(struct json_writer *, struct bytes);
void json_write_text(struct json_writer *, const char *);   /* NULL: null */
void json_write_integer(struct json_writer *, int64_t);
void json_write_number(struct json_writer *, double);
void json_write_bool(struct json_writer *, bool);
void json_write_null(struct json_writer *);
/* A value that is JSON already. */
void json_write_raw(struct json_writer *, struct bytes);

#endif
