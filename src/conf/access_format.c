/*
 * conf/access_format.c - the format string of a custom access log.
 */
/* SPDX-License-Identifier: ISC */
#include "conf/access_format.h"

static const struct {
	struct bytes name;
	enum access_variable variable;
} variables[] = {
#define X(upper, name) { BYTES_LITERAL(#name), ACCESS_##upper },
	ACCESS_VARIABLES(X)
#undef X
};

static bool
is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || c == '_';
}

/* How much of rest, behind its '$', is a variable's name. */
static size_t
name_len(struct bytes rest, size_t start)
{
	size_t end = start;

	while (end < rest.len && is_name_char(rest.data[end]))
		end++;
	return end - start;
}

static int
find_variable(struct bytes name, enum access_variable *variable_r)
{
	for (size_t i = 0; i < COUNT_OF(variables); i++) {
		if (bytes_equal(variables[i].name, name)) {
			*variable_r = variables[i].variable;
			return 0;
		}
	}
	return -1;
}

static void
advance(struct bytes *rest, size_t len)
{
	rest->data += len;
	rest->len -= len;
}

/* *rest_r starts with a '$'. */
static int
next_variable(struct bytes *rest_r, struct access_piece *piece_r)
{
	bool has_braces = rest_r->len > 1 && rest_r->data[1] == '{';
	size_t start = has_braces ? 2 : 1, len;

	if (rest_r->len > 1 && rest_r->data[1] == '$') {
		piece_r->variable = ACCESS_TEXT;
		piece_r->text = bytes_slice(rest_r->data + 1, 1);
		advance(rest_r, 2);
		return 1;
	}
	len = name_len(*rest_r, start);
	if (has_braces && (start + len == rest_r->len ||
	    rest_r->data[start + len] != '}'))
		return -1;
	if (find_variable(bytes_slice(rest_r->data + start, len),
	    &piece_r->variable) == -1)
		return -1;
	advance(rest_r, start + len + (has_braces ? 1 : 0));
	return 1;
}

static bool
is_control(char c)
{
	return (unsigned char)c < ' ' && c != '\t';
}

int
access_format_next(struct bytes *rest_r, struct access_piece *piece_r)
{
	size_t len = 0;

	*piece_r = (struct access_piece){ .variable = ACCESS_TEXT };
	if (rest_r->len == 0)
		return 0;
	if (rest_r->data[0] == '$')
		return next_variable(rest_r, piece_r);
	while (len < rest_r->len && rest_r->data[len] != '$' &&
	    !is_control(rest_r->data[len]))
		len++;
	if (len == 0)
		return -1;
	piece_r->text = bytes_slice(rest_r->data, len);
	advance(rest_r, len);
	return 1;
}

const char *
access_format_check(struct bytes format, struct bytes *where_r)
{
	struct access_piece piece;
	int result;

	*where_r = format;
	while ((result = access_format_next(where_r, &piece)) == 1)
		;
	if (result == 0)
		return NULL;
	if (where_r->data[0] != '$') {
		where_r->len = 1;
		return "has a control character";
	}
	where_r->len = 1 + name_len(*where_r, 1);
	return "has a $name that is no variable; sluice.conf(5) lists them, "
	       "and $$ is the sign itself";
}
