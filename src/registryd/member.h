/*
 * registryd/member.h - members of the API's JSON objects, as rows.
 *
 * A row says a member's name, type, range and default, and where in the
 * C object it stands.  Reading, writing, defaults and the schemas of
 * /openapi.json all come from the rows, so that they cannot differ.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_MEMBER_H
#define REGISTRYD_MEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/compat.h"
#include "common/json.h"
#include "registryd/problem.h"

enum member_kind {
	MEMBER_TEXT,			/* char *; max: bytes */
	MEMBER_U32,
	MEMBER_U64,
	MEMBER_I32,
	MEMBER_BOOL,
	MEMBER_WORD,			/* an enum; word(i) for i < max */
	MEMBER_CUSTOM,			/* read and write */
	MEMBER_SHOWN,			/* write only; ignored when read, so
					 * that what GET gave can be PUT back */
};

/* What a member is read from. */
struct member_input {
	const struct json_doc *doc;
	int parent;			/* the object that holds the member */
	bool is_merge;			/* null resets a member (RFC 7396) */
	struct problem *problem;
};

/* value JSON_NONE: set the default.  0, or -1 with *problem set. */
typedef int member_read_fn(const struct member_input *, int value,
    void *object);
typedef void member_write_fn(struct json_writer *, const void *object);
typedef const char *member_word_fn(unsigned int value);

struct member {
	const char *name;
	enum member_kind kind;
	size_t offset;
	int64_t min, max, preset;
	member_word_fn *word;
	member_read_fn *read;
	member_write_fn *write;		/* writes the value only */
	bool (*is_shown)(const void *object); /* NULL: always */
	const char *schema;		/* CUSTOM, SHOWN: of /openapi.json */
	const char *help;
};

struct members {
	const struct member *rows;
	size_t count;
	const char *required;		/* for the schema: "\"name\"" */
};

/* Sets every member that has a default; texts must be NULL or owned. */
MUST_CHECK int members_preset(const struct members *, void *object,
    struct problem *);

/* Reads an object's members into *object; input->parent is it. */
MUST_CHECK int members_read(const struct members *,
    const struct member_input *, void *object);

/* Writes the object with its braces. */
void members_write(const struct members *, struct json_writer *,
    const void *object);

/* Appends the JSON schema of the rows. */
void members_write_schema(const struct members *, struct json_writer *);

/* Replaces an owned text; 0 or -1 when out of memory. */
MUST_CHECK int text_set(char **text, struct bytes value);

#endif
