/*
 * http/field.h - reading field lines, for all that have some.
 *
 * Internal to src/http: requests, responses and trailers.
 */
/* SPDX-License-Identifier: ISC */
#ifndef HTTP_FIELD_H
#define HTTP_FIELD_H

#include "http/head.h"

/* What sluice itself says of a message's framing, way and origin.  No
 * Connection field, edit or trailer has a say in these. */
#define HTTP_FIELDS_OWNED                                                      \
	(HTTP_FIELD_BIT(HTTP_FIELD_HOST) |                                     \
	    HTTP_FIELD_BIT(HTTP_FIELD_CONTENT_LENGTH) |                        \
	    HTTP_FIELD_BIT(HTTP_FIELD_TRANSFER_ENCODING) |                     \
	    HTTP_FIELD_BIT(HTTP_FIELD_CONNECTION) |                            \
	    HTTP_FIELD_BIT(HTTP_FIELD_UPGRADE) |                               \
	    HTTP_FIELD_BIT(HTTP_FIELD_TE) |                                    \
	    HTTP_FIELD_BIT(HTTP_FIELD_VIA) | HTTP_FIELDS_FORWARDING)

/* Who the client is and how it came: believed only of trusted peers. */
#define HTTP_FIELDS_FORWARDING                                                 \
	(HTTP_FIELD_BIT(HTTP_FIELD_FORWARDED) |                                \
	    HTTP_FIELD_BIT(HTTP_FIELD_X_FORWARDED_FOR) |                       \
	    HTTP_FIELD_BIT(HTTP_FIELD_X_FORWARDED_HOST) |                      \
	    HTTP_FIELD_BIT(HTTP_FIELD_X_FORWARDED_PORT) |                      \
	    HTTP_FIELD_BIT(HTTP_FIELD_X_FORWARDED_PREFIX) |                    \
	    HTTP_FIELD_BIT(HTTP_FIELD_X_FORWARDED_PROTO) |                     \
	    HTTP_FIELD_BIT(HTTP_FIELD_X_REAL_IP) |                             \
	    HTTP_FIELD_BIT(HTTP_FIELD_X_REQUEST_ID))

/*
 * Reads one field line at *pos_r, which it moves behind the line's CRLF.
 * end is where the readable bytes end; a CRLF must stand before it.
 */
enum http_fault http_field_parse_line(const char **pos_r, const char *end,
    struct http_field *field_r);

/*
 * Reads field lines from pos to the empty line, which must be the last
 * two bytes before end.  Then obeys Connection (see HTTP_FIELDS_OWNED).
 */
enum http_fault http_fields_parse(const char *pos, const char *end,
    struct http_fields *fields_r);

/* What Connection says beside the names of fields. */
struct http_connection {
	bool has_close, has_keep_alive, has_upgrade;
};

/* What Content-Length and Transfer-Encoding say together. */
struct http_framing {
	bool has_length, is_chunked;
	uint64_t length;
};

/* Behind the functions below, where there is something to be read. */
struct http_connection http_connection_obey(struct http_fields *);
enum http_fault http_framing_judge(const struct http_fields *,
    uint8_t minor_version, struct http_framing *framing_r);
struct bytes http_upgrade_judge(const struct http_fields *);
enum http_fault http_version_judge(const char *text, uint8_t *minor_r);

/* Marks the fields that Connection names as hop-by-hop. */
static inline struct http_connection
http_connection_read(struct http_fields *fields)
{
	if (!http_fields_have(fields, HTTP_FIELD_CONNECTION))
		return (struct http_connection){ 0 };
	return http_connection_obey(fields);
}

static inline enum http_fault
http_framing_read(const struct http_fields *fields, uint8_t minor_version,
    struct http_framing *framing_r)
{
	if (http_fields_have(fields, HTTP_FIELD_CONTENT_LENGTH) ||
	    http_fields_have(fields, HTTP_FIELD_TRANSFER_ENCODING))
		return http_framing_judge(fields, minor_version, framing_r);
	*framing_r = (struct http_framing){ 0 };
	return HTTP_FAULT_NONE;
}

/* The value of Upgrade if it may be obeyed, else the empty run. */
static inline struct bytes
http_upgrade_read(const struct http_fields *fields,
    const struct http_connection *connection, uint8_t minor_version)
{
	if (!connection->has_upgrade || minor_version == 0)
		return bytes_slice(NULL, 0);
	return http_upgrade_judge(fields);
}

/* Reads "HTTP/1.N" at text (8 bytes).  2 and up of N are 1. */
#define HTTP_VERSION_LEN 8
static inline enum http_fault
http_version_parse(const char *text, uint8_t *minor_r)
{
	if (UNLIKELY(memcmp(text, "HTTP/1.1", HTTP_VERSION_LEN) != 0))
		return http_version_judge(text, minor_r);
	*minor_r = 1;
	return HTTP_FAULT_NONE;
}

#endif
