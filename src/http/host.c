/*
 * http/host.c - the name of the server that is meant.
 */
/* SPDX-License-Identifier: ISC */
#include "http/host.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "http/chars.h"

/* What stands behind the host: nothing, or a colon and a port, which may
 * be empty. */
static bool
is_port_suffix(struct bytes suffix)
{
	unsigned long long port;

	if (suffix.len == 0)
		return true;
	if (suffix.data[0] != ':')
		return false;
	if (suffix.len == 1)
		return true;
	return bytes_to_number(bytes_slice(suffix.data + 1, suffix.len - 1),
	    UINT16_MAX, &port) == 0;
}

static bool
normalise_ipv6(struct bytes authority, char host_r[HTTP_HOST_MAX + 1],
    size_t *len_r)
{
	const char *bracket = memchr(authority.data, ']', authority.len);
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;
	size_t len;

	if (bracket == NULL)
		return false;
	len = (size_t)(bracket - authority.data) - 1;
	if (len >= sizeof(text))
		return false;
	memcpy(text, authority.data + 1, len);
	text[len] = '\0';
	if (inet_pton(AF_INET6, text, &address) != 1 ||
	    inet_ntop(AF_INET6, &address, text, sizeof(text)) == NULL)
		return false;
	*len_r = (size_t)snprintf(host_r, HTTP_HOST_MAX + 1, "[%s]", text);
	return is_port_suffix(
	    bytes_slice(bracket + 1, authority.len - len - 2));
}

bool
http_host_normalise(struct bytes authority, char host_r[HTTP_HOST_MAX + 1],
    size_t *len_r)
{
	size_t len = 0;

	if (authority.len > 0 && authority.data[0] == '[')
		return normalise_ipv6(authority, host_r, len_r);
	for (; len < authority.len; len++) {
		char c = authority.data[len];

		if (!http_char_is(c, HTTP_CHAR_HOST))
			break;
		if (len == HTTP_HOST_MAX)
			return false;
		host_r[len] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	if (!is_port_suffix(bytes_slice(authority.data + len,
		authority.len - len)))
		return false;
	if (len > 1 && host_r[len - 1] == '.')
		len--;
	host_r[len] = '\0';
	*len_r = len;
	return len > 0;
}
