/*
 * http/url.h - addresses as operators and services write them.
 */
/* SPDX-License-Identifier: ISC */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/compat.h"

struct backend_url {
	bool is_unix;
	bool is_tls;			/* https; not supported yet: refused by
					 * url_parse_backend() with a reason */
	struct bytes host;		/* without brackets; unix: the path */
	bool is_address;		/* host is an IP address literal */
	uint16_t port;			/* 80 when not given */
	struct bytes base_path;		/* "" or "/a/b", normalised,
					 * no last / */
};

/*
 * Reads "http://host[:port][/path]" or "unix:/path[:/path]".  Slices are
 * of text.  Returns NULL, or a sentence that says what is wrong ("port
 * out of range"), with *url_r undefined.
 */
MUST_CHECK const char *url_parse_backend(struct bytes text,
    struct backend_url *url_r);

/*
 * Makes the domain of a route canonical: lower case, no trailing dot;
 * "*.suffix" allowed, "*" and "" become "" (the default).  Writes at most
 * 255 bytes and a NUL.  Returns NULL, or what is wrong.
 */
MUST_CHECK const char *url_normalise_domain(struct bytes text,
    char domain_r[256]);

/*
 * Makes the prefix of a route canonical, by the same rules as a request's
 * path, and without a last '/': "/S1/../s2//" becomes "/s2".  The empty
 * text is "/".  Returns NULL, or what is wrong.
 */
MUST_CHECK const char *url_normalise_prefix(struct bytes text,
    char *prefix_r, size_t size);

/* The one normaliser of paths that both of the above and
 * http_request_parse() use: out has room for path.len bytes.  Returns
 * false on %00, a bare backslash, a bad escape, or a control. */
MUST_CHECK bool url_normalise_path(struct bytes path, char *out,
    size_t *len_r);

struct listen_address {
	bool is_unix;
	struct bytes host;		/* address; "*" or "": any; path */
	uint16_t port;
};

/* Reads "host:port", "[v6]:port", ":port", "*:port" or "unix:path".
 * Returns NULL, or what is wrong. */
MUST_CHECK const char *url_parse_listen(struct bytes text,
    struct listen_address *address_r);

#endif
