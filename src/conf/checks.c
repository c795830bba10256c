/*
 * conf/checks.c - what a text must be to be an address, a path, a network.
 */
/* SPDX-License-Identifier: ISC */
#include "conf/checks.h"

#include <arpa/inet.h>
#include <ctype.h>

#include "shm/segment.h"
#include "http/url.h"
#include "conf/access_format.h"

const char *
check_instance(struct bytes value)
{
	bool is_good = value.len > 0 && value.len <= SEGMENT_NAME_MAX;

	for (size_t i = 0; i < value.len && is_good; i++)
		is_good = isalnum((unsigned char)value.data[i]) ||
		    value.data[i] == '_' || value.data[i] == '-';
	return is_good ? NULL : "is no name of an instance; use 1 to 64 "
				"letters, digits, '_' and '-'";
}

const char *
check_absolute_path(struct bytes value)
{
	if (value.len == 0 || value.data[0] != '/')
		return "is no absolute path; begin it with '/'";
	return NULL;
}

const char *
check_optional_path(struct bytes value)
{
	return value.len == 0 ? NULL : check_absolute_path(value);
}

const char *
check_listen(struct bytes value)
{
	struct listen_address address;

	return url_parse_listen(value, &address);
}

const char *
check_network(struct bytes value)
{
	static const char *const wrong =
	    "is no network; give an address such as 10.1.2.3 or fd00::1, or "
	    "address/bits";
	char text[INET6_ADDRSTRLEN];
	unsigned char address[sizeof(struct in6_addr)];
	unsigned long long bits;
	struct bytes rest = value, field;
	bool is_v6 = memchr(value.data, ':', value.len) != NULL;

	if (!bytes_next_field(&rest, '/', &field) || field.len >= sizeof(text))
		return wrong;
	memcpy(text, field.data, field.len);
	text[field.len] = '\0';
	if (inet_pton(is_v6 ? AF_INET6 : AF_INET, text, address) != 1)
		return wrong;
	if (rest.data != NULL &&
	    bytes_to_number(rest, is_v6 ? 128 : 32, &bits) == -1)
		return wrong;
	return NULL;
}

const char *
check_error_target(struct bytes value)
{
	if (bytes_is(value, "stderr") || bytes_is(value, "syslog") ||
	    check_absolute_path(value) == NULL)
		return NULL;
	return "is no place for a log; give an absolute path, stderr or syslog";
}

const char *
check_access_target(struct bytes value)
{
	if (bytes_is(value, "off") || check_error_target(value) == NULL)
		return NULL;
	return "is no place for a log; give an absolute path, stderr, syslog "
	       "or off";
}

const char *
check_log_format(struct bytes value)
{
	struct bytes where;

	if (bytes_is(value, "combined") || bytes_is(value, "json"))
		return NULL;
	if (value.len > 0 && memchr(value.data, '$', value.len) != NULL)
		return access_format_check(value, &where);
	return "is no log format; give combined, json, or a text with $names "
	       "in single quotes";
}

const char *
check_backend_url(struct bytes value)
{
	struct backend_url url;

	return url_parse_backend(value, &url);
}

const char *
check_domain(struct bytes value)
{
	char domain[256];

	return url_normalise_domain(value, domain);
}

const char *
check_prefix(struct bytes value)
{
	char prefix[1025];		/* TABLE_PATH_MAX and a NUL */

	return url_normalise_prefix(value, prefix, sizeof(prefix));
}
