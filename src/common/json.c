/*
 * common/json.c - reading JSON: jsmn's tokens, and walking them.
 *
 * Nothing reaches jsmn that is not JSON to the letter (json_check.h), so
 * it can be told the exact number of tokens, and has nothing to refuse.
 */
/* SPDX-License-Identifier: ISC */
#include "common/json.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#include "common/json_check.h"
#include "common/log.h"
#include "common/utf8.h"

/* Tokens stand in the order of the text: a container is followed by what
 * it holds, a member's name by its value. */
struct json_doc {
	struct bytes text;
	int count;
	int *after;			/* of each token: the one behind it and
					 * all it holds; behind the tokens */
	jsmntok_t tokens[];
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* jsmn wants something behind a number or a word, so the text that is
 * nothing else is not for it. */
static void
tokenize_primitive(struct json_doc *doc)
{
	size_t start = 0, end = doc->text.len;

	while (is_blank(doc->text.data[start]))
		start++;
	while (is_blank(doc->text.data[end - 1]))
		end--;
	doc->tokens[0] = (jsmntok_t){ .type = JSMN_PRIMITIVE,
		.start = (int)start, .end = (int)end, .parent = -1 };
}

static void
tokenize(struct json_doc *doc)
{
	jsmn_parser parser;
	int got;

	jsmn_init(&parser);
	got = jsmn_parse(&parser, doc->text.data, doc->text.len, doc->tokens,
	    (unsigned int)doc->count);
	if (got == JSMN_ERROR_PART && doc->count == 1)
		tokenize_primitive(doc);
	else
		invariant(got == doc->count);
}

static void
link_siblings(struct json_doc *doc)
{
	for (int i = 0; i < doc->count; i++)
		doc->after[i] = i + 1;
	for (int i = doc->count - 1; i > 0; i--) {
		int parent = doc->tokens[i].parent;

		if (doc->after[parent] < doc->after[i])
			doc->after[parent] = doc->after[i];
	}
}

int
json_parse(struct bytes text, struct json_doc **doc_r, size_t *error_offset_r)
{
	struct json_doc *doc;
	size_t count;

	if (text.len >= INT_MAX) {
		*error_offset_r = INT_MAX;
		errno = EINVAL;
		return -1;
	}
	if (!json_check(text, error_offset_r, &count)) {
		errno = EINVAL;
		return -1;
	}
	doc = calloc(1, sizeof(*doc) +
		count * (sizeof(doc->tokens[0]) + sizeof(doc->after[0])));
	if (doc == NULL)
		return -1;
	doc->text = text;
	doc->count = (int)count;
	doc->after = (int *)(void *)(doc->tokens + count);
	tokenize(doc);
	link_siblings(doc);
	*doc_r = doc;
	return 0;
}

void
json_doc_free(struct json_doc **p)
{
	free(*p);
	*p = NULL;
}

int
json_root(const struct json_doc *doc UNUSED)
{
	return 0;
}

/* What a token covers: of a string, without the quotes. */
static struct bytes
token_text(const struct json_doc *doc, int value)
{
	const jsmntok_t *token = &doc->tokens[value];

	return bytes_slice(doc->text.data + token->start,
	    (size_t)(token->end - token->start));
}

enum json_type
json_type(const struct json_doc *doc, int value)
{
	switch (doc->tokens[value].type) {
	case JSMN_OBJECT:
		return JSON_OBJECT;
	case JSMN_ARRAY:
		return JSON_ARRAY;
	case JSMN_STRING:
		return JSON_STRING;
	case JSMN_UNDEFINED:
	case JSMN_PRIMITIVE:
		break;
	}
	switch (token_text(doc, value).data[0]) {
	case 't':
	case 'f':
		return JSON_BOOL;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

static bool
is_container(const struct json_doc *doc, int value)
{
	return value != JSON_NONE &&
	    (doc->tokens[value].type == JSMN_OBJECT ||
		doc->tokens[value].type == JSMN_ARRAY);
}

bool
json_each(const struct json_doc *doc, int container, int *value_r,
    struct bytes *key_r)
{
	int next;

	if (!is_container(doc, container))
		return false;
	next = *value_r == JSON_NONE ? container + 1 : doc->after[*value_r];
	if (next >= doc->after[container])
		return false;
	if (doc->tokens[container].type == JSMN_OBJECT) {
		if (key_r != NULL)
			*key_r = token_text(doc, next);
		next++;
	}
	*value_r = next;
	return true;
}

size_t
json_count(const struct json_doc *doc, int container)
{
	if (!is_container(doc, container))
		return 0;
	return (size_t)doc->tokens[container].size;
}

/* Whether the inside of a string says name, escapes resolved. */
static bool
is_text(struct bytes inside, const char *name)
{
	size_t name_len = strlen(name);

	while (inside.len > 0) {
		char utf8[UTF8_CHAR_MAX];
		uint32_t code_point;
		size_t used = json_unescape(inside, &code_point);
		size_t len = utf8_put(code_point, utf8);

		if (len > name_len || memcmp(utf8, name, len) != 0)
			return false;
		name += len;
		name_len -= len;
		inside.data += used;
		inside.len -= used;
	}
	return name_len == 0;
}

int
json_member(const struct json_doc *doc, int object, const char *name)
{
	int value = JSON_NONE, found = JSON_NONE;
	struct bytes key;

	if (object == JSON_NONE || doc->tokens[object].type != JSMN_OBJECT)
		return JSON_NONE;
	while (json_each(doc, object, &value, &key))
		if (is_text(key, name))
			found = value;
	return found;
}

struct bytes
json_raw(const struct json_doc *doc, int value)
{
	struct bytes text = token_text(doc, value);

	if (doc->tokens[value].type == JSMN_STRING) {
		text.data--;
		text.len += 2;
	}
	return text;
}

char *
json_string(const struct json_doc *doc, int value)
{
	struct bytes inside;
	char *copy, *end;

	if (value == JSON_NONE || doc->tokens[value].type != JSMN_STRING)
		return NULL;
	inside = token_text(doc, value);
	/* An escape is never shorter than what it stands for. */
	if ((copy = end = malloc(inside.len + UTF8_CHAR_MAX)) == NULL)
		return NULL;
	while (inside.len > 0) {
		uint32_t code_point;
		size_t used = json_unescape(inside, &code_point);

		if (code_point == 0) {
			free(copy);
			return NULL;
		}
		end += utf8_put(code_point, end);
		inside.data += used;
		inside.len -= used;
	}
	*end = '\0';
	return copy;
}

int
json_bool(const struct json_doc *doc, int value, bool *bool_r)
{
	if (value == JSON_NONE || json_type(doc, value) != JSON_BOOL)
		return -1;
	*bool_r = token_text(doc, value).data[0] == 't';
	return 0;
}

int
json_integer(const struct json_doc *doc, int value, int64_t min, int64_t max,
    int64_t *integer_r)
{
	unsigned long long magnitude;
	struct bytes digits;
	int64_t integer;
	bool is_negative;

	if (value == JSON_NONE || json_type(doc, value) != JSON_NUMBER)
		return -1;
	digits = token_text(doc, value);
	is_negative = digits.data[0] == '-';
	if (is_negative) {
		digits.data++;
		digits.len--;
	}
	if (bytes_to_number(digits, INT64_MAX, &magnitude) == -1)
		return -1;
	integer = is_negative ? -(int64_t)magnitude : (int64_t)magnitude;
	if (integer < min || integer > max)
		return -1;
	*integer_r = integer;
	return 0;
}
