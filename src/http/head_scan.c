/*
 * http/head_scan.c - where a head ends, in bytes that are still arriving.
 *
 * Lines are found by their line feed alone; what is in them is for the
 * parsers.  The result does not depend on how the bytes were cut.
 */
/* SPDX-License-Identifier: ISC */
#include "http/head.h"

#include "http/chars.h"

/* The longest start line: a target, a method and a version. */
#define START_LINE_MAX (HTTP_TARGET_MAX + 64)
#define METHOD_MAX     32

static enum http_scan_result
refuse(enum http_fault fault, enum http_fault *fault_r)
{
	*fault_r = fault;
	return HTTP_SCAN_FAULT;
}

/* Why a start line that does not end in time is refused. */
static enum http_fault
long_line_fault(struct bytes line, bool is_request)
{
	if (!is_request)
		return HTTP_FAULT_STATUS_LINE;
	if (memchr(line.data, ' ', METHOD_MAX) == NULL)
		return HTTP_FAULT_METHOD;
	return HTTP_FAULT_TARGET_LONG;
}

/* What speaks another protocol shows it in its first byte. */
static bool
is_first_byte(char c, bool is_request)
{
	if (!is_request)
		return c == 'H';
	return http_char_is(c, HTTP_CHAR_TOKEN) || c == '\r' || c == '\n';
}

static enum http_fault
first_byte_fault(bool is_request)
{
	return is_request ? HTTP_FAULT_METHOD : HTTP_FAULT_STATUS_LINE;
}

static enum http_fault
empty_line_fault(bool is_request)
{
	return is_request ? HTTP_FAULT_REQUEST_LINE : HTTP_FAULT_STATUS_LINE;
}

/* No line feed in what is there: is there room for more? */
static enum http_scan_result
wait_for_more(struct http_head_scan *scan, const char *data, size_t len,
    bool is_request, enum http_fault *fault_r)
{
	struct bytes line = { data + scan->line_start, len - scan->line_start };

	if (!scan->has_start_line && line.len >= START_LINE_MAX)
		return refuse(long_line_fault(line, is_request), fault_r);
	if (len - scan->skipped >= HTTP_HEAD_MAX)
		return refuse(HTTP_FAULT_HEAD_LONG, fault_r);
	scan->scanned = (uint32_t)len;
	return HTTP_SCAN_MORE;
}

/* As far as may be looked now: to the limit of the line or the head. */
static size_t
limit_len(const struct http_head_scan *scan, size_t len)
{
	size_t limit = scan->has_start_line
			   ? (size_t)scan->skipped + HTTP_HEAD_MAX
			   : (size_t)scan->line_start + START_LINE_MAX;

	return len < limit ? len : limit;
}

/* The lines behind the first, up to the empty one. */
static enum http_scan_result
scan_fields(struct http_head_scan *scan, const char *data, size_t len,
    size_t *head_end_r, enum http_fault *fault_r)
{
	const char *pos = data + scan->scanned;
	const char *line = data + scan->line_start, *feed;

	len = limit_len(scan, len);
	while ((feed = http_find_feed(pos, data + len)) != NULL) {
		if (feed == line || feed[-1] != '\r')
			return refuse(HTTP_FAULT_BARE_LF, fault_r);
		pos = feed + 1;
		if (feed - line == 1) {
			scan->scanned = (uint32_t)(pos - data);
			*head_end_r = scan->scanned;
			return HTTP_SCAN_DONE;
		}
		line = pos;
	}
	scan->line_start = (uint32_t)(line - data);
	return wait_for_more(scan, data, len, false, fault_r);
}

/* Line by line, from where the last look ended. */
static NEVER_INLINE enum http_scan_result
scan_lines(struct http_head_scan *scan, const char *data, size_t len,
    bool is_request, size_t *head_end_r, enum http_fault *fault_r)
{
	while (!scan->has_start_line) {
		size_t pos = scan->scanned, limit = limit_len(scan, len);
		const char *feed;
		size_t line_len;

		if (pos == scan->line_start && pos < limit &&
		    !is_first_byte(data[pos], is_request))
			return refuse(first_byte_fault(is_request), fault_r);
		feed = http_find_feed(data + pos, data + limit);
		if (feed == NULL)
			return wait_for_more(scan, data, limit, is_request,
			    fault_r);
		pos = (size_t)(feed - data) + 1;
		line_len = pos - scan->line_start;
		if (line_len < 2 || feed[-1] != '\r')
			return refuse(HTTP_FAULT_BARE_LF, fault_r);
		scan->line_start = scan->scanned = (uint32_t)pos;
		if (line_len > 2)
			scan->has_start_line = true;
		else if (is_request && scan->skipped == 0)
			scan->skipped = 2;
		else
			return refuse(empty_line_fault(is_request), fault_r);
	}
	return scan_fields(scan, data, len, head_end_r, fault_r);
}

/*
 * Nearly every head arrives whole and is short, and then one look for its
 * end is enough.  False where it is not.
 */
static bool
find_whole(struct http_head_scan *scan, const char *data, size_t len,
    bool is_request, size_t *head_end_r)
{
	const char *end;

	if (len > START_LINE_MAX)
		len = START_LINE_MAX;
	if (scan->scanned != 0 || len < 4 ||
	    !is_first_byte(data[0], is_request) || data[0] == '\r' ||
	    data[0] == '\n' || data[1] == '\n')
		return false;
	end = http_find_odd_feed(data + 2, data + len);
	if (end == NULL || end[-1] != '\r')
		return false;
	scan->has_start_line = true;
	scan->scanned = scan->line_start = (uint32_t)(end + 1 - data);
	*head_end_r = scan->scanned;
	return true;
}

enum http_scan_result
http_head_scan(struct http_head_scan *scan, const char *data, size_t len,
    bool is_request, size_t *head_end_r, enum http_fault *fault_r)
{
	if (LIKELY(find_whole(scan, data, len, is_request, head_end_r)))
		return HTTP_SCAN_DONE;
	return scan_lines(scan, data, len, is_request, head_end_r, fault_r);
}
