/*
 * http/host.c - the name of the server that is meant.
 */
/* SPDX-License-Identifier: ISC */
#include "http/host.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "http/chars.h"

/* So many are a port whatever they are. */
#define PORT_SURE_DIGITS 4

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
	if (suffix.len <= PORT_SURE_DIGITS + 1) {
		for (size_t i = 1; i < suffix.len; i++)
			if (!http_char_is_digit(suffix.data[i]))
				return false;
		return true;
	}
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

#ifdef __SSE2__

/* Whole blocks where they are, the rest behind zeroes of its own. */
static __m128i
load_some(const char *text, size_t len)
{
	char block[HTTP_BLOCK] = { 0 };

	if (LIKELY(len >= HTTP_BLOCK))
		return http_block_load(text);
	memcpy(block, text, len);
	return http_block_load(block);
}

/*
 * Copies letters, as small ones, digits, '-' and '.', of which nearly all
 * hosts are made; returns how many of them stand at the front.  Writes as
 * much beyond them as there is room.
 */
static size_t
copy_plain(struct bytes text, char host[HTTP_HOST_MAX + 1])
{
	size_t len = 0;

	while (len < text.len && len + HTTP_BLOCK <= HTTP_HOST_MAX) {
		__m128i block = load_some(text.data + len, text.len - len);
		__m128i case_bit = _mm_set1_epi8(0x20);
		__m128i letters = http_block_in_range(
		    _mm_or_si128(block, case_bit), 'a', 'z' - 'a');
		__m128i others = _mm_or_si128(
		    http_block_in_range(block, '-', 1),
		    http_block_in_range(block, '0', 9));
		unsigned int odd = (unsigned int)_mm_movemask_epi8(
		    _mm_or_si128(letters, others)) ^ 0xffffu;

		block = _mm_or_si128(block, _mm_and_si128(letters, case_bit));
		_mm_storeu_si128((__m128i *)(void *)(host + len), block);
		if (odd != 0)
			return len + (size_t)__builtin_ctz(odd);
		len += HTTP_BLOCK;
	}
	return len;
}

#else

static size_t
copy_plain(struct bytes text UNUSED, char host[HTTP_HOST_MAX + 1] UNUSED)
{
	return 0;
}

#endif

bool
http_host_normalise(struct bytes authority, char host_r[HTTP_HOST_MAX + 1],
    size_t *len_r)
{
	size_t len;

	if (authority.len > 0 && authority.data[0] == '[')
		return normalise_ipv6(authority, host_r, len_r);
	for (len = copy_plain(authority, host_r); len < authority.len; len++) {
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
