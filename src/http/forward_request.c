/*
 * http/forward_request.c - the request head that a backend gets.
 */
/* SPDX-License-Identifier: ISC */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "http/forward.h"

#include "http/field.h"
#include "http/forward_fields.h"
#include "http/pen.h"

/* The name under which sluice signs Via. */
#define PSEUDONYM "sluice"

/* Rewritten or remade below, whoever sent them. */
#define FIELDS_REMADE                                                          \
	(HTTP_FIELD_BIT(HTTP_FIELD_HOST) |                                     \
	    HTTP_FIELD_BIT(HTTP_FIELD_EXPECT) |                                \
	    HTTP_FIELD_BIT(HTTP_FIELD_X_REQUEST_ID))

/* Whether a peer that may say so has a field of that id. */
static inline bool
is_said(const struct forward_request *forward, bool is_trusted,
    enum http_field_id id)
{
	return is_trusted && http_fields_have(&forward->request->fields, id);
}

static uint64_t
dropped_fields(const struct forward_request *forward)
{
	uint64_t dropped = FIELDS_REMADE;

	if (!forward->peer->is_trusted)
		return dropped | HTTP_FIELDS_FORWARDING;
	/* These are lists: ours goes behind theirs, in one line. */
	if (forward->peer->address.len > 0)
		dropped |= HTTP_FIELD_BIT(HTTP_FIELD_X_FORWARDED_FOR);
	if (forward->stripped_prefix.len > 0)
		dropped |= HTTP_FIELD_BIT(HTTP_FIELD_X_FORWARDED_PREFIX);
	if (forward->options->forwarded)
		dropped |= HTTP_FIELD_BIT(HTTP_FIELD_FORWARDED);
	return dropped;
}

static struct http_pen
write_path(const struct forward_request *forward, struct http_pen pen)
{
	struct bytes path = forward->request->path;
	size_t strip = forward->strip_len;

	if (path.data[0] == '*')
		return pen_literal(pen, "*");
	if (strip > path.len)
		strip = path.len;
	path = bytes_slice(path.data + strip, path.len - strip);
	if (forward->base_path.len > 0)
		pen = pen_slice(pen, forward->base_path);
	if (path.len > 0 ? path.data[0] != '/' : forward->base_path.len == 0)
		pen = pen_literal(pen, "/");
	return pen_slice(pen, path);
}

static struct http_pen
write_request_line(const struct forward_request *forward,
    struct http_pen pen)
{
	const struct http_request *request = forward->request;

	pen = pen_framed(pen, "", request->method, " ");
	pen = write_path(forward, pen);
	if (request->query.data != NULL)
		pen = pen_framed(pen, "?", request->query, "");
	return pen_framed(pen, " HTTP/1.1\r\nHost: ", forward->host, "\r\n");
}

/* Writes what a trusted peer said in fields of that id, each with ", ". */
static struct http_pen
write_list(const struct forward_request *forward,
    enum http_field_id id, struct http_pen pen)
{
	const struct http_fields *fields = &forward->request->fields;

	for (uint32_t i = fields->first[id]; i < fields->count; i++) {
		if (fields->list[i].id != id || fields->list[i].value.len == 0)
			continue;
		pen = pen_framed(pen, "", fields->list[i].value, ", ");
	}
	return pen;
}

static inline struct http_pen
write_trusted_list(const struct forward_request *forward,
    enum http_field_id id, struct http_pen pen)
{
	if (!is_said(forward, forward->peer->is_trusted, id))
		return pen;
	return write_list(forward, id, pen);
}

/* RFC 7239, section 6: an IPv6 address in brackets, and then quoted. */
static struct http_pen
write_forwarded(const struct forward_request *forward, struct http_pen pen)
{
	const struct forward_peer *peer = forward->peer;
	bool is_v6 = peer->address.len > 0 &&
	    memchr(peer->address.data, ':', peer->address.len) != NULL;

	pen = pen_literal(pen, "Forwarded: ");
	pen = write_trusted_list(forward, HTTP_FIELD_FORWARDED, pen);
	if (peer->address.len == 0)
		pen = pen_literal(pen, "for=unknown");
	else if (is_v6)
		pen = pen_framed(pen, "for=\"[", peer->address, "]\"");
	else
		pen = pen_framed(pen, "for=", peer->address, "");
	if (forward->request->authority.len > 0)
		pen = pen_framed(pen, ";host=\"", forward->request->authority,
		    "\"");
	return peer->is_tls ? pen_literal(pen, ";proto=https\r\n")
			    : pen_literal(pen, ";proto=http\r\n");
}

/* One of several that only say something where nobody trusted did. */
#define WRITE_UNLESS_TRUSTED(id, name, value)                                  \
	do {                                                                   \
		if (!is_said(forward, is_trusted, id) && (value).len > 0)      \
			pen = pen_field(pen, name, value);                     \
	} while (0)

static struct http_pen
write_origin(const struct forward_request *forward, struct http_pen pen)
{
	const struct forward_peer *peer = forward->peer;
	bool is_trusted = peer->is_trusted;

	if (peer->address.len > 0) {
		pen = pen_literal(pen, "X-Forwarded-For: ");
		pen = write_trusted_list(forward, HTTP_FIELD_X_FORWARDED_FOR,
		    pen);
		pen = pen_framed(pen, "", peer->address, "\r\n");
	}
	if (!is_said(forward, is_trusted, HTTP_FIELD_X_FORWARDED_PROTO))
		pen = peer->is_tls
			  ? pen_literal(pen, "X-Forwarded-Proto: https\r\n")
			  : pen_literal(pen, "X-Forwarded-Proto: http\r\n");
	WRITE_UNLESS_TRUSTED(HTTP_FIELD_X_FORWARDED_HOST, "X-Forwarded-Host",
	    forward->request->authority);
	WRITE_UNLESS_TRUSTED(HTTP_FIELD_X_FORWARDED_PORT, "X-Forwarded-Port",
	    peer->listen_port);
	WRITE_UNLESS_TRUSTED(HTTP_FIELD_X_REAL_IP, "X-Real-IP", peer->address);
	if (forward->stripped_prefix.len > 0) {
		pen = pen_literal(pen, "X-Forwarded-Prefix: ");
		pen = write_trusted_list(forward,
		    HTTP_FIELD_X_FORWARDED_PREFIX, pen);
		pen = pen_framed(pen, "", forward->stripped_prefix, "\r\n");
	}
	if (forward->options->forwarded)
		pen = write_forwarded(forward, pen);
	return pen;
}

static struct http_pen
write_hex(struct http_pen pen, uint64_t number)
{
	char text[16];

	bytes_write_hex(number, text);
	return pen_slice(pen, bytes_slice(text, sizeof(text)));
}

/*
 * Starts a trace.  Its ids are as unique as the request id, which they
 * are made from; all zero, which none may be, is nudged.
 *
 * Source: W3C Trace Context, section 3.2.
 */
static struct http_pen
write_traceparent(const struct forward_request *forward, struct http_pen pen)
{
	struct bytes id = forward->request_id;
	XXH128_hash_t trace = XXH3_128bits(id.data, id.len);
	uint64_t span = XXH3_64bits_withSeed(id.data, id.len, 1);

	pen = pen_literal(pen, "Traceparent: 00-");
	pen = write_hex(pen, trace.high64);
	pen = write_hex(pen, trace.low64 == 0 ? 1 : trace.low64);
	pen = pen_literal(pen, "-");
	pen = write_hex(pen, span == 0 ? 1 : span);
	return pen_literal(pen, "-01\r\n");
}

static struct http_pen
write_framing(const struct forward_request *forward, struct http_pen pen)
{
	const struct http_request *request = forward->request;
	bool is_upgrade = forward->is_upgrade && request->upgrade.len > 0;

	if (request->body == HTTP_BODY_CHUNKED)
		pen = pen_literal(pen, "Transfer-Encoding: chunked\r\n");
	if (forward->continues)
		pen = pen_literal(pen, "Expect: 100-continue\r\n");
	if (request->accepts_trailers)
		pen = pen_literal(pen, "TE: trailers\r\n");
	if (is_upgrade)
		pen = pen_field(pen, "Upgrade", request->upgrade);
	if (is_upgrade && request->accepts_trailers)
		pen = pen_literal(pen, "Connection: upgrade, TE\r\n");
	else if (is_upgrade)
		pen = pen_literal(pen, "Connection: upgrade\r\n");
	else if (request->accepts_trailers)
		pen = pen_literal(pen, "Connection: TE\r\n");
	return pen;
}

/* And the name of the field behind it. */
#define VIA(version) "Via: " version " " PSEUDONYM "\r\nX-Request-Id: "

void
http_forward_request(const struct forward_request *forward,
    struct http_out *out)
{
	const struct http_request *request = forward->request;
	struct field_filter filter = {
		.dropped = dropped_fields(forward),
		.edits = forward->edits,
		.edit_count = forward->edit_count,
		.of_request = true,
	};
	struct http_pen pen = pen_begin(out);

	pen = write_request_line(forward, pen);
	pen = http_forward_fields(&request->fields, &filter, pen);
	pen = write_origin(forward, pen);
	pen = request->minor_version == 0 ?
	    pen_framed(pen, VIA("1.0"), forward->request_id, "\r\n") :
	    pen_framed(pen, VIA("1.1"), forward->request_id, "\r\n");
	if (forward->options->traceparent &&
	    !http_fields_have(&request->fields, HTTP_FIELD_TRACEPARENT))
		pen = write_traceparent(forward, pen);
	if (UNLIKELY(filter.edit_count > 0))
		pen = http_forward_edits(&filter, pen);
	pen = write_framing(forward, pen);
	pen_end(pen_literal(pen, "\r\n"), out);
}

/* "1.1 sluice (comment)": the second word. */
static bool
is_signed_by_us(struct bytes element)
{
	struct bytes word;

	if (!bytes_next_field(&element, ' ', &word))
		return false;
	while (bytes_next_field(&element, ' ', &word))
		if (word.len > 0)
			return bytes_equal_nocase(bytes_trim(word),
			    bytes_of(PSEUDONYM));
	return false;
}

bool
http_forward_is_loop(const struct http_request *request)
{
	const struct http_fields *fields = &request->fields;
	struct bytes rest, element;

	if (!http_fields_have(fields, HTTP_FIELD_VIA))
		return false;
	for (uint32_t i = 0; i < fields->count; i++) {
		if (fields->list[i].id != HTTP_FIELD_VIA)
			continue;
		rest = fields->list[i].value;
		while (http_list_next(&rest, &element))
			if (is_signed_by_us(element))
				return true;
	}
	return false;
}
