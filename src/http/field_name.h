/*
 * http/field_name.h - from the name of a field to what it is to sluice.
 *
 * Internal to src/http, and inline for the reader of heads; others call
 * http_field_id().
 *
 * Names are compared a word at a time.  Only what is a letter in the name
 * looked for is folded, so that nothing but its two cases is taken for it,
 * and a name that is known need not be looked at for being a token.
 */
/* SPDX-License-Identifier: ISC */
#ifndef HTTP_FIELD_NAME_H
#define HTTP_FIELD_NAME_H

#include "http/head.h"

/* Bit 5 of each byte that is a letter in lower case, of those that stand
 * in names: it has bit 6. */
#define HTTP_CASES(lower) ((lower) >> 1 & UINT64_C(0x2020202020202020))

/* Whether words of eight bytes, of four, of one are the same, but for the
 * case of letters. */
static inline bool
http_word_is(const char *word, const char *lower)
{
	uint64_t got, wanted;

	memcpy(&got, word, sizeof(got));
	memcpy(&wanted, lower, sizeof(wanted));
	return (got | HTTP_CASES(wanted)) == wanted;
}

static inline bool
http_half_is(const char *half, const char *lower)
{
	uint32_t got, wanted;

	memcpy(&got, half, sizeof(got));
	memcpy(&wanted, lower, sizeof(wanted));
	return (got | HTTP_CASES(wanted)) == wanted;
}

static inline bool
http_letter_is(char letter, char lower)
{
	uint64_t wanted = (unsigned char)lower;

	return ((unsigned char)letter | HTTP_CASES(wanted)) == wanted;
}

/* len is a constant wherever this is called, and lower too: what is left
 * is a comparison or two.  The last word overlaps the one before it. */
static inline bool
http_name_is(const char *name, const char *lower, size_t len)
{
	if (len < 4) {
		for (size_t i = 0; i < len; i++)
			if (!http_letter_is(name[i], lower[i]))
				return false;
		return true;
	}
	if (len < 8)
		return http_half_is(name, lower) &&
		    http_half_is(name + len - 4, lower + len - 4);
	for (size_t i = 0; i + 8 <= len; i += 8)
		if (!http_word_is(name + i, lower + i))
			return false;
	return http_word_is(name + len - 8, lower + len - 8);
}

#define NAME(lower, id)                                                        \
	if (first == (lower)[0] &&                                             \
	    http_name_is(name.data, lower, sizeof(lower) - 1))                 \
	return id

/* A row a length: few names share one, and hardly any their first byte. */
ALWAYS_INLINE enum http_field_id
http_name_id(struct bytes name)
{
	int first = name.len == 0 ? 0 : name.data[0] | 0x20;

	switch (name.len) {
	case 2:
		NAME("te", HTTP_FIELD_TE);
		break;
	case 3:
		NAME("via", HTTP_FIELD_VIA);
		break;
	case 4:
		NAME("date", HTTP_FIELD_DATE);
		NAME("host", HTTP_FIELD_HOST);
		break;
	case 6:
		NAME("accept", HTTP_FIELD_ACCEPT);
		NAME("cookie", HTTP_FIELD_COOKIE);
		NAME("expect", HTTP_FIELD_EXPECT);
		NAME("server", HTTP_FIELD_SERVER);
		break;
	case 7:
		NAME("referer", HTTP_FIELD_REFERER);
		NAME("trailer", HTTP_FIELD_TRAILER);
		NAME("upgrade", HTTP_FIELD_UPGRADE);
		break;
	case 9:
		NAME("forwarded", HTTP_FIELD_FORWARDED);
		NAME("x-real-ip", HTTP_FIELD_X_REAL_IP);
		break;
	case 10:
		NAME("connection", HTTP_FIELD_CONNECTION);
		NAME("keep-alive", HTTP_FIELD_KEEP_ALIVE);
		NAME("set-cookie", HTTP_FIELD_SET_COOKIE);
		NAME("user-agent", HTTP_FIELD_USER_AGENT);
		break;
	case 11:
		NAME("retry-after", HTTP_FIELD_RETRY_AFTER);
		NAME("traceparent", HTTP_FIELD_TRACEPARENT);
		break;
	case 12:
		NAME("content-type", HTTP_FIELD_CONTENT_TYPE);
		NAME("proxy-status", HTTP_FIELD_PROXY_STATUS);
		NAME("x-request-id", HTTP_FIELD_X_REQUEST_ID);
		break;
	case 13:
		NAME("authorization", HTTP_FIELD_AUTHORIZATION);
		break;
	case 14:
		NAME("content-length", HTTP_FIELD_CONTENT_LENGTH);
		NAME("http2-settings", HTTP_FIELD_HTTP2_SETTINGS);
		break;
	case 15:
		NAME("x-forwarded-for", HTTP_FIELD_X_FORWARDED_FOR);
		break;
	case 16:
		NAME("proxy-connection", HTTP_FIELD_PROXY_CONNECTION);
		NAME("x-forwarded-host", HTTP_FIELD_X_FORWARDED_HOST);
		NAME("x-forwarded-port", HTTP_FIELD_X_FORWARDED_PORT);
		break;
	case 17:
		NAME("transfer-encoding", HTTP_FIELD_TRANSFER_ENCODING);
		NAME("x-forwarded-proto", HTTP_FIELD_X_FORWARDED_PROTO);
		break;
	case 18:
		NAME("proxy-authenticate", HTTP_FIELD_PROXY_AUTHENTICATE);
		NAME("x-forwarded-prefix", HTTP_FIELD_X_FORWARDED_PREFIX);
		break;
	case 19:
		NAME("proxy-authorization", HTTP_FIELD_PROXY_AUTHORIZATION);
		break;
	default:
		break;
	}
	return HTTP_FIELD_OTHER;
}

#undef NAME

#endif
