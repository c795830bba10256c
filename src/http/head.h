/*
 * http/head.h - the heads of HTTP/1 messages: found, then parsed.
 *
 * Pure functions over bytes: no I/O, no allocation, no clock.  Two
 * steps: http_head_scan() finds the end of a head in what has arrived so
 * far, without looking at any byte twice; http_request_parse() and
 * http_response_parse() then read the whole head, strictly.  Everything
 * parsed is a borrowed slice of the head's own bytes.
 *
 * Strict: what RFC 9112 lets a recipient refuse is refused, since a
 * proxy that reads a message in another way than its neighbour is a
 * hole.  The full list of refusals is in sluice(8), section FRAMING.
 *
 * Sources: RFC 9110, RFC 9112.
 */
/* SPDX-License-Identifier: ISC */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/compat.h"

#define HTTP_HEAD_MAX	   32768	/* bytes of a head, request line too */
#define HTTP_TARGET_MAX	   8192
#define HTTP_FIELDS_MAX	   100
#define HTTP_HOST_MAX	   255		/* of a normalised host */

/* Why a message is refused.  http_fault_status() and http_fault_word()
 * say it to the client and to the log. */
enum http_fault {
	HTTP_FAULT_NONE,
	HTTP_FAULT_BARE_LF,		/* or a bare CR at a line's end */
	HTTP_FAULT_REQUEST_LINE,
	HTTP_FAULT_METHOD,		/* no token */
	HTTP_FAULT_CONNECT,		/* 405 */
	HTTP_FAULT_TARGET,		/* malformed, %00, backslash,
					 * fragment */
	HTTP_FAULT_TARGET_LONG,		/* 414 */
	HTTP_FAULT_VERSION,		/* 505, or 400 where it is no version */
	HTTP_FAULT_STATUS_LINE,
	HTTP_FAULT_FIELD_NAME,		/* no token, space before the colon */
	HTTP_FAULT_FIELD_VALUE,		/* CTL, NUL, bare CR */
	HTTP_FAULT_FOLD,		/* obs-fold, blank before the first */
	HTTP_FAULT_HEAD_LONG,		/* 431 */
	HTTP_FAULT_FIELDS_MANY,		/* 431 */
	HTTP_FAULT_HOST,		/* missing, twice, malformed */
	HTTP_FAULT_LENGTH,		/* Content-Length: any fault */
	HTTP_FAULT_LENGTH_AND_CODING,
	HTTP_FAULT_CODING,		/* chunked not last, twice, in 1.0 */
	HTTP_FAULT_CODING_UNKNOWN,	/* 501 */
	HTTP_FAULT_EXPECT,		/* 417 */
	HTTP_FAULT_CHUNK,		/* framing of a chunked body */
	HTTP_FAULT_COUNT
};

/* The status for the client, 400 .. 505. */
unsigned int http_fault_status(enum http_fault);
/* A stable short word for logs, "bad_request_framing" and the like. */
const char *http_fault_word(enum http_fault);
/* A sentence for people: "Content-Length and Transfer-Encoding together". */
const char *http_fault_text(enum http_fault);

/* Finding the end ------------------------------------------------------ */

struct http_head_scan {
	uint32_t scanned;		/* bytes looked at so far */
	uint32_t line_start;		/* of the current line */
	uint32_t skipped;		/* an empty line before the head:
					 * 0 or 2 */
	bool has_start_line;		/* the first line is complete */
};					/* start with all zero */

enum http_scan_result { HTTP_SCAN_MORE, HTTP_SCAN_DONE, HTTP_SCAN_FAULT };

/*
 * Looks at data[scan->scanned .. len).  data is the message from its
 * first byte each time.  On DONE, the head is data[scan->skipped,
 * *head_end_r), its empty line included.  Limits are enforced here,
 * before a head is complete.  is_request: one empty line before it is
 * skipped; and the target's limit applies.
 */
enum http_scan_result http_head_scan(struct http_head_scan *,
    const char *data, size_t len, bool is_request, size_t *head_end_r,
    enum http_fault *fault_r);

/* What a head says ------------------------------------------------------ */

/* Fields that sluice looks at; all others are HTTP_FIELD_OTHER. */
enum http_field_id {
	HTTP_FIELD_OTHER,
	HTTP_FIELD_ACCEPT,
	HTTP_FIELD_AUTHORIZATION,
	HTTP_FIELD_CONNECTION,
	HTTP_FIELD_CONTENT_LENGTH,
	HTTP_FIELD_CONTENT_TYPE,
	HTTP_FIELD_COOKIE,
	HTTP_FIELD_DATE,
	HTTP_FIELD_EXPECT,
	HTTP_FIELD_FORWARDED,
	HTTP_FIELD_HOST,
	HTTP_FIELD_HTTP2_SETTINGS,
	HTTP_FIELD_KEEP_ALIVE,
	HTTP_FIELD_PROXY_AUTHENTICATE,
	HTTP_FIELD_PROXY_AUTHORIZATION,
	HTTP_FIELD_PROXY_CONNECTION,
	HTTP_FIELD_PROXY_STATUS,
	HTTP_FIELD_REFERER,
	HTTP_FIELD_RETRY_AFTER,
	HTTP_FIELD_SERVER,
	HTTP_FIELD_SET_COOKIE,
	HTTP_FIELD_TE,
	HTTP_FIELD_TRACEPARENT,
	HTTP_FIELD_TRAILER,
	HTTP_FIELD_TRANSFER_ENCODING,
	HTTP_FIELD_UPGRADE,
	HTTP_FIELD_USER_AGENT,
	HTTP_FIELD_VIA,
	HTTP_FIELD_X_FORWARDED_FOR,
	HTTP_FIELD_X_FORWARDED_HOST,
	HTTP_FIELD_X_FORWARDED_PORT,
	HTTP_FIELD_X_FORWARDED_PREFIX,
	HTTP_FIELD_X_FORWARDED_PROTO,
	HTTP_FIELD_X_REAL_IP,
	HTTP_FIELD_X_REQUEST_ID,
	HTTP_FIELD_COUNT
};

struct http_field {
	struct bytes name, value;	/* value without blanks around it */
	enum http_field_id id;
	bool is_withheld;		/* never goes on: hop-by-hop, by its
					 * name or by Connection; or it is like
					 * x_real_ip: with '-' for '_' a field
					 * that sluice answers for */
};

struct http_fields {
	uint32_t count;
	uint64_t present;		/* bit id: there is at least one */
	uint64_t repeated;		/* bit id: there is more than one */
	uint8_t first[HTTP_FIELD_COUNT]; /* index of the first, if present */
	struct http_field list[HTTP_FIELDS_MAX];
};

#define HTTP_FIELD_BIT(id) (UINT64_C(1) << (id))

_Static_assert(HTTP_FIELD_COUNT <= 64, "http_fields.present is 64 bits");

static inline bool
http_fields_have(const struct http_fields *fields, enum http_field_id id)
{
	return (fields->present & HTTP_FIELD_BIT(id)) != 0;
}

/* The first field with that id, or NULL. */
static inline const struct http_field *
http_field_find(const struct http_fields *fields, enum http_field_id id)
{
	if (!http_fields_have(fields, id))
		return NULL;
	return &fields->list[fields->first[id]];
}

/* The first field of that name (any case), or NULL. */
const struct http_field *http_field_find_name(const struct http_fields *,
    struct bytes name);

/* What the name is to sluice (any case). */
enum http_field_id http_field_id(struct bytes name);
/*
 * Walks the elements of a list-valued field value ("a, b"): *rest_r starts
 * as the value.  Elements come without blanks around them and are never
 * empty.  False at the end.
 */
bool http_list_next(struct bytes *rest_r, struct bytes *element_r);

enum http_method {
	HTTP_METHOD_OTHER,
	HTTP_METHOD_GET,
	HTTP_METHOD_HEAD,
	HTTP_METHOD_POST,
	HTTP_METHOD_PUT,
	HTTP_METHOD_DELETE,
	HTTP_METHOD_OPTIONS,
	HTTP_METHOD_TRACE,
	HTTP_METHOD_PATCH,
};

/* RFC 9110, section 9.2.2. */
bool http_method_is_idempotent(enum http_method);

enum http_body {
	HTTP_BODY_NONE,
	HTTP_BODY_LENGTH,		/* content_length bytes */
	HTTP_BODY_CHUNKED,
	HTTP_BODY_CLOSE,		/* a response's: until close */
};

struct http_request {
	enum http_method method_id;
	struct bytes method;
	struct bytes target;		/* as it came, for the log */
	struct bytes path;		/* normalised, in path_buf or target */
	struct bytes query;		/* behind '?'; data NULL: none */
	struct bytes authority;		/* as it came: host or host:port */
	struct bytes host;		/* normalised, in host_buf */
	uint8_t minor_version;		/* 0 or 1 */
	enum http_body body;
	uint64_t content_length;	/* HTTP_BODY_LENGTH: > 0 */
	bool keeps_alive;		/* as version and Connection say */
	bool expects_continue;
	bool accepts_trailers;		/* TE: trailers */
	struct bytes upgrade;		/* Upgrade's value if Connection names
					 * it in 1.1, and it is not h2c */
	char host_buf[HTTP_HOST_MAX + 1];
	struct http_fields fields;
	char path_buf[HTTP_TARGET_MAX];
};

/*
 * Reads a whole request head (see http_head_scan(), DONE), its first
 * empty line included.  *request_r borrows from head.
 *
 * The path is normalised: "." and "..", "//", %2e and needlessly encoded
 * unreserved bytes resolved, hex digits upper case; "%2f" stays.  The
 * same path is to be matched and forwarded.  "*" (OPTIONS) is kept.
 * Absolute-form targets give their authority in place of Host.
 *
 * Returns HTTP_FAULT_NONE, or why not.
 */
enum http_fault http_request_parse(struct bytes head,
    struct http_request *request_r);

struct http_response {
	unsigned int status;		/* 100 .. 599 */
	struct bytes reason;
	uint8_t minor_version;
	enum http_body body;		/* for a request of the given method */
	uint64_t content_length;	/* HTTP_BODY_LENGTH; and what the field
					 * said for HEAD and 304 */
	bool has_content_length;
	bool keeps_alive;
	struct bytes upgrade;		/* of a 101 */
	struct http_fields fields;
};

/* Reads a whole response head; its body depends on the request's method
 * (RFC 9112, section 6.3).  As above. */
enum http_fault http_response_parse(struct bytes head,
    enum http_method request_method, struct http_response *response_r);

/* The phrase for a status, "Unknown" for one that has none. */
const char *http_status_phrase(unsigned int status);

#endif
