/*
 * http/request_target.c - the middle word of a request line.
 *
 * Almost every path is normal already, and then is borrowed as it
 * stands; one look at each byte tells.
 *
 * Source: RFC 9112, section 3.2.
 */
/* SPDX-License-Identifier: ISC */
#include "http/request_target.h"

#include "http/chars.h"
#include "http/url.h"

/* Moves to the end of the path.  False if a normal path would differ:
 * there is an escape, an empty segment, or one that starts with a dot. */
static bool
skip_path(const char **pos_r)
{
	const char *pos = *pos_r;
	bool is_normal = true;

	for (;;) {
		while (http_char_is(*pos, HTTP_CHAR_PATH))
			pos++;
		if (*pos == '/')
			is_normal &= pos[1] != '/' && pos[1] != '.';
		else if (*pos == '%')
			is_normal = false;
		else
			break;
		pos++;
	}
	*pos_r = pos;
	return is_normal;
}

/* The path and the query, from a slash on. */
static enum http_fault
parse_path(const char **pos_r, struct http_request *request)
{
	const char *start = *pos_r, *pos = start;
	bool is_normal = skip_path(&pos);

	request->path = bytes_slice(start, (size_t)(pos - start));
	request->query = bytes_slice(NULL, 0);
	if (*pos == '?') {
		const char *query = ++pos;

		while (http_char_is(*pos, HTTP_CHAR_QUERY))
			pos++;
		request->query = bytes_slice(query, (size_t)(pos - query));
	}
	*pos_r = pos;
	if (is_normal)
		return HTTP_FAULT_NONE;
	if (request->path.len > sizeof(request->path_buf))
		return HTTP_FAULT_TARGET_LONG;
	if (!url_normalise_path(request->path, request->path_buf,
		&request->path.len))
		return HTTP_FAULT_TARGET;
	request->path.data = request->path_buf;
	return HTTP_FAULT_NONE;
}

/* Behind "http://": an authority, then maybe a path. */
static enum http_fault
parse_absolute(const char **pos_r, struct http_request *request)
{
	const char *start = *pos_r, *pos = start;

	while (http_char_is(*pos, HTTP_CHAR_HOST) || *pos == ':' ||
	    *pos == '[' || *pos == ']')
		pos++;
	request->authority = bytes_slice(start, (size_t)(pos - start));
	*pos_r = pos;
	if (*pos == '/')
		return parse_path(pos_r, request);
	/* The path is empty.  For OPTIONS that is "*": RFC 9112, 3.2.4. */
	if (request->method_id == HTTP_METHOD_OPTIONS && *pos != '?')
		request->path = bytes_of("*");
	else
		request->path = bytes_of("/");
	request->query = bytes_slice(NULL, 0);
	if (*pos == '?') {
		while (http_char_is(*++pos, HTTP_CHAR_QUERY))
			;
		request->query = bytes_slice(*pos_r + 1,
		    (size_t)(pos - *pos_r) - 1);
		*pos_r = pos;
	}
	return HTTP_FAULT_NONE;
}

/* The length of a scheme that sluice serves, with its "://"; or 0. */
static size_t
scheme_len(const char *pos)
{
	/* strncasecmp() stops at the first difference, before any end. */
	if (strncasecmp(pos, "http://", 7) == 0)
		return 7;
	if (strncasecmp(pos, "https://", 8) == 0)
		return 8;
	return 0;
}

static enum http_fault
parse_form(const char **pos_r, struct http_request *request)
{
	const char *pos = *pos_r;
	size_t len;

	if (*pos == '/')
		return parse_path(pos_r, request);
	if (*pos == '*' && request->method_id == HTTP_METHOD_OPTIONS) {
		request->path = bytes_slice(pos, 1);
		request->query = bytes_slice(NULL, 0);
		(*pos_r)++;
		return HTTP_FAULT_NONE;
	}
	if ((len = scheme_len(pos)) == 0)
		return HTTP_FAULT_TARGET;
	*pos_r += len;
	return parse_absolute(pos_r, request);
}

enum http_fault
http_target_parse(const char **pos_r, struct http_request *request)
{
	const char *start = *pos_r;
	enum http_fault fault;

	request->authority = bytes_slice(NULL, 0);
	fault = parse_form(pos_r, request);
	request->target = bytes_slice(start, (size_t)(*pos_r - start));
	if (request->target.len > HTTP_TARGET_MAX)
		return HTTP_FAULT_TARGET_LONG;
	if (fault != HTTP_FAULT_NONE)
		return fault;
	/* Another byte than a space: a control, a fragment, a backslash. */
	return **pos_r == ' ' ? HTTP_FAULT_NONE : HTTP_FAULT_TARGET;
}
