/*
 * conf/comments.c - makes the comments of a configuration blank.
 */
/* SPDX-License-Identifier: ISC */
#include "conf/comments.h"

#include <string.h>

#include "common/bytes.h"

/* Where the line that at is in ends; len at the end. */
static size_t
end_of_line(const char *text, size_t len, size_t at)
{
	const char *end = memchr(text + at, '\n', len - at);

	return end == NULL ? len : (size_t)(end - text);
}

/* Behind ${NAME} at at, or behind the '$' if it is none. */
static size_t
skip_variable(const char *text, size_t len, size_t at)
{
	const char *end;

	if (at + 1 == len || text[at + 1] != '{')
		return at + 1;
	end = memchr(text + at, '}', len - at);
	return end == NULL ? at + 1 : (size_t)(end - text) + 1;
}

/* Behind the quoted text that begins at at. */
static size_t
skip_quoted(const char *text, size_t len, size_t at)
{
	char quote = text[at++];

	while (at < len && text[at] != quote) {
		if (text[at] == '\\')
			at += 2;
		else if (text[at] == '$' && quote == '"')
			at = skip_variable(text, len, at);
		else
			at++;
	}
	return at < len ? at + 1 : len;
}

/* Behind the comment that begins at at; at itself if none does.  A slash
 * inside a bare word, as in http://host, begins none. */
static size_t
end_of_comment(const char *text, size_t len, size_t at)
{
	bool in_word = at > 0 && strchr(" \t\r\n={}(),/", text[at - 1]) == NULL;
	const char *end;

	if (text[at] == '#')
		return end_of_line(text, len, at);
	if (text[at] != '/' || at + 1 == len || in_word)
		return at;
	if (text[at + 1] == '/')
		return end_of_line(text, len, at);
	if (text[at + 1] != '*')
		return at;
	end = memmem(text + at + 2, len - at - 2, "*/", 2);
	return end == NULL ? at : (size_t)(end - text) + 2;
}

size_t
comments_blank(char *text, size_t len)
{
	size_t at = 0, stray = len;

	while (at < len) {
		size_t end = end_of_comment(text, len, at);

		if (end == at && (text[at] == '"' || text[at] == '\''))
			at = skip_quoted(text, len, at);
		else if (end == at && text[at] == '$')
			at = skip_variable(text, len, at);
		else if (end == at && text[at++] == '*' && stray == len &&
		    (at == 1 || text[at - 2] != '/'))
			stray = at - 1;
		for (; at < end; at++)
			if (text[at] != '\n')
				text[at] = ' ';
	}
	return stray;
}
