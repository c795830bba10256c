/*
 * http/url.c - addresses as operators and services write them.
 */
/* SPDX-License-Identifier: ISC */
#include "http/url.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "http/chars.h"

#define HOST_NAME_MAX_LEN 253
#define LABEL_MAX_LEN	  63
#define UNIX_PATH_MAX	  107		/* sun_path, less its NUL */

static bool
is_address(int family, struct bytes text)
{
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (text.len == 0 || text.len >= sizeof(copy))
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	return inet_pton(family, copy, &address) == 1;
}

static struct bytes
skip(struct bytes text, size_t len)
{
	return bytes_slice(text.data + len, text.len - len);
}

static bool
starts_with_nocase(struct bytes text, const char *prefix)
{
	size_t len = strlen(prefix);

	return text.len >= len && strncasecmp(text.data, prefix, len) == 0;
}

static bool
is_host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    http_char_is_digit(c) || c == '-' || c == '_';
}

/* Labels of letters, digits, '-' and '_' with dots between them. */
static const char *
check_host_name(struct bytes name)
{
	struct bytes label;

	if (name.len == 0)
		return "host is missing";
	if (name.len > HOST_NAME_MAX_LEN)
		return "host is too long";
	while (bytes_next_field(&name, '.', &label)) {
		if (label.len == 0)
			return "host has an empty label";
		if (label.len > LABEL_MAX_LEN)
			return "host has a label over 63 bytes";
		for (size_t i = 0; i < label.len; i++)
			if (!is_host_char(label.data[i]))
				return "host contains a character that is not "
				       "allowed";
	}
	return NULL;
}

/* Takes "[v6]" or all before the first ':' off *rest_r. */
static const char *
take_host(struct bytes *rest_r, struct bytes *host_r)
{
	const char *end;

	if (rest_r->len > 0 && rest_r->data[0] == '[') {
		end = memchr(rest_r->data, ']', rest_r->len);
		if (end == NULL)
			return "']' is missing";
		*host_r = bytes_slice(rest_r->data + 1,
		    (size_t)(end - rest_r->data) - 1);
		*rest_r = skip(*rest_r, host_r->len + 2);
		if (!is_address(AF_INET6, *host_r))
			return "not an IPv6 address";
		return NULL;
	}
	end = rest_r->len == 0 ? NULL : memchr(rest_r->data, ':', rest_r->len);
	*host_r = *rest_r;
	if (end != NULL)
		host_r->len = (size_t)(end - rest_r->data);
	*rest_r = skip(*rest_r, host_r->len);
	return NULL;
}

/* Reads ":port", all of text. */
static const char *
parse_port(struct bytes text, uint16_t min, uint16_t *port_r)
{
	unsigned long long port;

	if (text.len == 0 || text.data[0] != ':')
		return "port is missing";
	text = skip(text, 1);
	if (text.len == 0)
		return "port is missing";
	for (size_t i = 0; i < text.len; i++)
		if (!http_char_is_digit(text.data[i]))
			return "port is not a number";
	if (bytes_to_number(text, UINT16_MAX, &port) == -1 || port < min)
		return "port is out of range";
	*port_r = (uint16_t)port;
	return NULL;
}

/* A base path is borrowed, so it must be normal as it is written. */
static const char *
parse_base_path(struct bytes path, struct bytes *base_path_r)
{
	char normal[1024];
	size_t len;

	while (path.len > 0 && path.data[path.len - 1] == '/')
		path.len--;
	*base_path_r = path;
	if (path.len == 0)
		return NULL;
	if (path.len > sizeof(normal))
		return "path is too long";
	if (memchr(path.data, '?', path.len) != NULL)
		return "a query is not allowed";
	if (memchr(path.data, '#', path.len) != NULL)
		return "a fragment is not allowed";
	if (!url_normalise_path(path, normal, &len))
		return "path is malformed";
	if (!bytes_equal(bytes_slice(normal, len), path))
		return "path is not in its normal form (no //, no . or .., no "
		       "needless or lower-case %-escapes)";
	return NULL;
}

/* Takes the path of a socket, which starts with '/'. */
static const char *
check_unix_path(struct bytes path)
{
	if (path.len == 0 || path.data[0] != '/')
		return "the socket's path must start with '/'";
	if (path.len > UNIX_PATH_MAX)
		return "the socket's path is over 107 bytes";
	for (size_t i = 0; i < path.len; i++)
		if ((unsigned char)path.data[i] <= ' ' || path.data[i] == 0x7f)
			return "the socket's path contains a blank or a "
			       "control";
	return NULL;
}

/* Behind "unix:". */
static const char *
parse_unix_backend(struct bytes text, struct backend_url *url_r)
{
	struct bytes path;
	const char *wrong;

	url_r->is_unix = true;
	if (!bytes_next_field(&text, ':', &path))
		path = bytes_slice(NULL, 0);
	url_r->host = path;
	if ((wrong = check_unix_path(path)) != NULL)
		return wrong;
	if (text.data == NULL)
		return NULL;
	if (text.len > 0 && text.data[0] != '/')
		return "path must start with '/'";
	return parse_base_path(text, &url_r->base_path);
}

/* Behind "http://". */
static const char *
parse_tcp_backend(struct bytes text, struct backend_url *url_r)
{
	struct bytes authority = text, rest;
	const char *wrong;
	bool has_brackets;

	for (size_t i = 0; i < text.len; i++) {
		if (memchr("/?#", text.data[i], 3) != NULL) {
			authority.len = i;
			break;
		}
	}
	rest = authority;
	if (authority.len > 0 &&
	    memchr(authority.data, '@', authority.len) != NULL)
		return "a user name or password is not allowed";
	has_brackets = authority.len > 0 && authority.data[0] == '[';
	if ((wrong = take_host(&rest, &url_r->host)) != NULL)
		return wrong;
	url_r->is_address = has_brackets || is_address(AF_INET, url_r->host);
	if (!has_brackets && (wrong = check_host_name(url_r->host)) != NULL)
		return wrong;
	url_r->port = 80;
	if (rest.len > 0 && (wrong = parse_port(rest, 1, &url_r->port)) != NULL)
		return wrong;
	text = skip(text, authority.len);
	if (text.len > 0 && text.data[0] == '?')
		return "a query is not allowed";
	if (text.len > 0 && text.data[0] == '#')
		return "a fragment is not allowed";
	return parse_base_path(text, &url_r->base_path);
}

const char *
url_parse_backend(struct bytes text, struct backend_url *url_r)
{
	*url_r = (struct backend_url){ .base_path = bytes_of("") };
	if (starts_with_nocase(text, "unix:"))
		return parse_unix_backend(skip(text, 5), url_r);
	if (starts_with_nocase(text, "http://"))
		return parse_tcp_backend(skip(text, 7), url_r);
	if (starts_with_nocase(text, "https://")) {
		url_r->is_tls = true;
		return "https is not supported towards backends";
	}
	return "must start with http:// or unix:";
}

/* "[v6]", in the form in which a request's host is normalised. */
static const char *
normalise_address_domain(struct bytes text, char domain_r[256])
{
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (text.len < 2 || text.data[text.len - 1] != ']')
		return "']' is missing, or something is behind it";
	text = bytes_slice(text.data + 1, text.len - 2);
	if (!is_address(AF_INET6, text))
		return "not an IPv6 address";
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET6, copy, &address) != 1 ||
	    inet_ntop(AF_INET6, &address, copy, sizeof(copy)) == NULL)
		return "not an IPv6 address";
	snprintf(domain_r, 256, "[%s]", copy);
	return NULL;
}

const char *
url_normalise_domain(struct bytes text, char domain_r[256])
{
	struct bytes name = text;
	const char *wrong;

	domain_r[0] = '\0';
	if (text.len == 0 || bytes_is(text, "*"))
		return NULL;
	if (text.data[0] == '[')
		return normalise_address_domain(text, domain_r);
	if (text.len > 1 && text.data[text.len - 1] == '.')
		text.len = --name.len;
	if (bytes_start_with(text, bytes_of("*.")))
		name = skip(text, 2);
	if (memchr(text.data, ':', text.len) != NULL)
		return "a domain has no port";
	if ((wrong = check_host_name(name)) != NULL)
		return wrong;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];

		domain_r[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	domain_r[text.len] = '\0';
	return NULL;
}

const char *
url_normalise_prefix(struct bytes text, char *prefix_r, size_t size)
{
	size_t len;

	if (text.len == 0)
		text = bytes_of("/");
	if (text.data[0] != '/')
		return "prefix must start with '/'";
	if (text.len >= size)
		return "prefix is too long";
	if (memchr(text.data, '?', text.len) != NULL)
		return "a prefix has no query";
	if (!url_normalise_path(text, prefix_r, &len))
		return "prefix contains a character or an escape that is not "
		       "allowed";
	if (len > 1 && prefix_r[len - 1] == '/')
		len--;
	prefix_r[len] = '\0';
	return NULL;
}

const char *
url_parse_listen(struct bytes text, struct listen_address *address_r)
{
	bool has_brackets = text.len > 0 && text.data[0] == '[';
	struct bytes rest = text;
	const char *wrong;

	*address_r = (struct listen_address){ 0 };
	if (starts_with_nocase(text, "unix:")) {
		address_r->is_unix = true;
		address_r->host = skip(text, 5);
		return address_r->host.len == 0 ? "the socket's path is missing"
		       : address_r->host.len > UNIX_PATH_MAX
			   ? "the socket's path is over 107 bytes"
			   : NULL;
	}
	if ((wrong = take_host(&rest, &address_r->host)) != NULL)
		return wrong;
	if (!has_brackets && address_r->host.len > 0 &&
	    !bytes_is(address_r->host, "*") &&
	    !is_address(AF_INET, address_r->host))
		return rest.len > 1 && memchr(rest.data + 1, ':', rest.len - 1)
			   ? "an IPv6 address must stand in brackets"
			   : "not an address; write \"*:PORT\" for all of them";
	return parse_port(rest, 0, &address_r->port);
}
