/*
 * http/forward_request.c - the request head that a backend gets.
 */
/* SPDX-License-Identifier: ISC */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "http/forward.h"

#include "http/field.h"
#include "http/forward_fields.h"
#include "http/out.h"

/* The name under which sluice signs Via. */
#define PSEUDONYM "sluice"

/* Rewritten or remade below, whoever sent them. */
#define FIELDS_REMADE                                                          \
	(HTTP_FIELD_BIT(HTTP_FIELD_HOST) |                                     \
	    HTTP_FIELD_BIT(HTTP_FIELD_EXPECT) |                                \
	    HTTP_FIELD_BIT(HTTP_FIELD_X_REQUEST_ID))

/* The field of a peer that may say so, or NULL. */
static const struct http_field *
trusted_field(const struct forward_request *forward, enum http_field_id id)
{
	if (!forward->peer->is_trusted)
		return NULL;
	return http_field_find(&forward->request->fields, id);
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

static void
write_path(const struct forward_request *forward, struct http_out *out)
{
	struct bytes path = forward->request->path;
	size_t strip = forward->strip_len;

	if (path.data[0] == '*') {
		out_literal(out, "*");
		return;
	}
	if (strip > path.len)
		strip = path.len;
	path = bytes_slice(path.data + strip, path.len - strip);
	out_slice(out, forward->base_path);
	if (path.len > 0 ? path.data[0] != '/' : forward->base_path.len == 0)
		out_literal(out, "/");
	out_slice(out, path);
}

static void
write_request_line(const struct forward_request *forward,
    struct http_out *out)
{
	const struct http_request *request = forward->request;

	out_slice(out, request->method);
	out_literal(out, " ");
	write_path(forward, out);
	if (request->query.data != NULL) {
		out_literal(out, "?");
		out_slice(out, request->query);
	}
	out_literal(out, " HTTP/1.1\r\nHost: ");
	out_slice(out, forward->host);
	out_literal(out, "\r\n");
}

/* Writes what a trusted peer said in fields of that id, each with ", ". */
static void
write_trusted_list(const struct forward_request *forward,
    enum http_field_id id, struct http_out *out)
{
	const struct http_fields *fields = &forward->request->fields;

	if (trusted_field(forward, id) == NULL)
		return;
	for (uint32_t i = fields->first[id]; i < fields->count; i++) {
		if (fields->list[i].id != id || fields->list[i].value.len == 0)
			continue;
		out_slice(out, fields->list[i].value);
		out_literal(out, ", ");
	}
}

/* RFC 7239, section 6: an IPv6 address in brackets, and then quoted. */
static void
write_forwarded(const struct forward_request *forward, struct http_out *out)
{
	const struct forward_peer *peer = forward->peer;
	bool is_v6 = peer->address.len > 0 &&
	    memchr(peer->address.data, ':', peer->address.len) != NULL;

	out_literal(out, "Forwarded: ");
	write_trusted_list(forward, HTTP_FIELD_FORWARDED, out);
	if (peer->address.len == 0) {
		out_literal(out, "for=unknown");
	} else {
		out_bytes(out, "for=\"[", is_v6 ? 6 : 4);
		out_slice(out, peer->address);
		out_bytes(out, "]\"", is_v6 ? 2 : 0);
	}
	if (forward->request->authority.len > 0) {
		out_literal(out, ";host=\"");
		out_slice(out, forward->request->authority);
		out_literal(out, "\"");
	}
	if (peer->is_tls)
		out_literal(out, ";proto=https\r\n");
	else
		out_literal(out, ";proto=http\r\n");
}

/* One of several that only say something where nobody trusted did. */
#define WRITE_UNLESS_TRUSTED(id, name, value)                                  \
	do {                                                                   \
		if (trusted_field(forward, id) == NULL && (value).len > 0) {   \
			out_literal(out, name ": ");                           \
			out_slice(out, value);                                 \
			out_literal(out, "\r\n");                              \
		}                                                              \
	} while (0)

static void
write_origin(const struct forward_request *forward, struct http_out *out)
{
	const struct forward_peer *peer = forward->peer;
	struct bytes proto = bytes_of(peer->is_tls ? "https" : "http");

	if (peer->address.len > 0) {
		out_literal(out, "X-Forwarded-For: ");
		write_trusted_list(forward, HTTP_FIELD_X_FORWARDED_FOR, out);
		out_slice(out, peer->address);
		out_literal(out, "\r\n");
	}
	WRITE_UNLESS_TRUSTED(HTTP_FIELD_X_FORWARDED_PROTO, "X-Forwarded-Proto",
	    proto);
	WRITE_UNLESS_TRUSTED(HTTP_FIELD_X_FORWARDED_HOST, "X-Forwarded-Host",
	    forward->request->authority);
	WRITE_UNLESS_TRUSTED(HTTP_FIELD_X_FORWARDED_PORT, "X-Forwarded-Port",
	    peer->listen_port);
	WRITE_UNLESS_TRUSTED(HTTP_FIELD_X_REAL_IP, "X-Real-IP", peer->address);
	if (forward->stripped_prefix.len > 0) {
		out_literal(out, "X-Forwarded-Prefix: ");
		write_trusted_list(forward, HTTP_FIELD_X_FORWARDED_PREFIX, out);
		out_slice(out, forward->stripped_prefix);
		out_literal(out, "\r\n");
	}
	if (forward->options->forwarded)
		write_forwarded(forward, out);
}

static void
write_hex(struct http_out *out, uint64_t number)
{
	char text[16];

	bytes_write_hex(number, text);
	out_bytes(out, text, sizeof(text));
}

/*
 * Starts a trace.  Its ids are as unique as the request id, which they
 * are made from; all zero, which none may be, is nudged.
 *
 * Source: W3C Trace Context, section 3.2.
 */
static void
write_traceparent(const struct forward_request *forward, struct http_out *out)
{
	struct bytes id = forward->request_id;
	XXH128_hash_t trace = XXH3_128bits(id.data, id.len);
	uint64_t span = XXH3_64bits_withSeed(id.data, id.len, 1);

	out_literal(out, "Traceparent: 00-");
	write_hex(out, trace.high64);
	write_hex(out, trace.low64 == 0 ? 1 : trace.low64);
	out_literal(out, "-");
	write_hex(out, span == 0 ? 1 : span);
	out_literal(out, "-01\r\n");
}

static void
write_framing(const struct forward_request *forward, struct http_out *out)
{
	const struct http_request *request = forward->request;
	bool is_upgrade = forward->is_upgrade && request->upgrade.len > 0;

	if (request->body == HTTP_BODY_CHUNKED)
		out_literal(out, "Transfer-Encoding: chunked\r\n");
	if (forward->continues)
		out_literal(out, "Expect: 100-continue\r\n");
	if (request->accepts_trailers)
		out_literal(out, "TE: trailers\r\n");
	if (is_upgrade) {
		out_literal(out, "Upgrade: ");
		out_slice(out, request->upgrade);
		out_literal(out, "\r\n");
	}
	if (is_upgrade && request->accepts_trailers)
		out_literal(out, "Connection: upgrade, TE\r\n");
	else if (is_upgrade)
		out_literal(out, "Connection: upgrade\r\n");
	else if (request->accepts_trailers)
		out_literal(out, "Connection: TE\r\n");
}

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

	write_request_line(forward, out);
	http_forward_fields(&request->fields, &filter, out);
	write_origin(forward, out);
	if (request->minor_version == 0)
		out_literal(out, "Via: 1.0 " PSEUDONYM "\r\n");
	else
		out_literal(out, "Via: 1.1 " PSEUDONYM "\r\n");
	out_literal(out, "X-Request-Id: ");
	out_slice(out, forward->request_id);
	out_literal(out, "\r\n");
	if (forward->options->traceparent &&
	    !http_fields_have(&request->fields, HTTP_FIELD_TRACEPARENT))
		write_traceparent(forward, out);
	http_forward_edits(&filter, out);
	write_framing(forward, out);
	out_literal(out, "\r\n");
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
