/*
 * http/host.h - the name of the server that is meant.
 *
 * Internal to src/http.
 *
 * Source: RFC 3986, section 3.2; RFC 9110, section 7.2.
 */
/* SPDX-License-Identifier: ISC */
#ifndef HTTP_HOST_H
#define HTTP_HOST_H

#include "http/head.h"

/*
 * Reads "host", "host:port" or "[v6]:port" and writes the host, in lower
 * case, without a trailing dot; an IPv6 address in its shortest form and
 * in brackets.  No user information, no escapes.
 *
 * Returns false when it is malformed, empty, or too long.
 */
MUST_CHECK bool http_host_normalise(struct bytes authority,
    char host_r[HTTP_HOST_MAX + 1], size_t *len_r);

#endif
