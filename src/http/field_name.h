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
#define HTTP_CASE_BITS(lower) ((lower) >> 1 & UINT64_C(0x2020202020202020))

static inline uint64_t
http_load_8(const char *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

static inline uint64_t
http_load_4(const char *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

static inline bool
http_word_folds_to(uint64_t word, uint64_t lower)
{
	return (word | HTTP_CASE_BITS(lower)) == lower;
}

/* len is a constant wherever this is called, and lower too: what is left
 * is a comparison or two.  The last word overlaps the one before it. */
static inline bool
http_name_folds_to(const char *name, const char *lower, size_t len)
{
	if (len < 4) {
		for (size_t i = 0; i < len; i++)
			if (!http_word_folds_to((unsigned char)name[i],
				(unsigned char)lower[i]))
				return false;
		return true;
	}
	if (len < 8)
		return http_word_folds_to(http_load_4(name), http_load_4(lower)) &&
		    http_word_folds_to(http_load_4(name + len - 4),
			http_load_4(lower + len - 4));
	for (size_t i = 0; i + 8 <= len; i += 8)
		if (!http_word_folds_to(http_load_8(name + i), http_load_8(lower + i)))
			return false;
	return http_word_folds_to(http_load_8(name + len - 8), http_load_8(lower + len - 8));
}

#define HTTP_NAME(lower, id)                                                        \
	if (first == (lower)[0] &&                                             \
	    http_name_folds_to(name.data, lower, sizeof(lower) - 1))                     \
	return id

/* A row a length: few names share one, and hardly any their first byte. */
ALWAYS_INLINE enum http_field_id
http_name_id(struct bytes name)
{
	int first = name.len == 0 ? 0 : name.data[0] | 0x20;

	switch (name.len) {
	case 2:
		HTTP_NAME("te", HTTP_FIELD_TE);
		break;
	case 3:
		HTTP_NAME("via", HTTP_FIELD_VIA);
		break;
	case 4:
		HTTP_NAME("date", HTTP_FIELD_DATE);
		HTTP_NAME("host", HTTP_FIELD_HOST);
		break;
	case 6:
		HTTP_NAME("accept", HTTP_FIELD_ACCEPT);
		HTTP_NAME("cookie", HTTP_FIELD_COOKIE);
		HTTP_NAME("expect", HTTP_FIELD_EXPECT);
		HTTP_NAME("server", HTTP_FIELD_SERVER);
		break;
	case 7:
		HTTP_NAME("referer", HTTP_FIELD_REFERER);
		HTTP_NAME("trailer", HTTP_FIELD_TRAILER);
		HTTP_NAME("upgrade", HTTP_FIELD_UPGRADE);
		break;
	case 9:
		HTTP_NAME("forwarded", HTTP_FIELD_FORWARDED);
		HTTP_NAME("x-real-ip", HTTP_FIELD_X_REAL_IP);
		break;
	case 10:
		HTTP_NAME("connection", HTTP_FIELD_CONNECTION);
		HTTP_NAME("keep-alive", HTTP_FIELD_KEEP_ALIVE);
		HTTP_NAME("set-cookie", HTTP_FIELD_SET_COOKIE);
		HTTP_NAME("user-agent", HTTP_FIELD_USER_AGENT);
		break;
	case 11:
		HTTP_NAME("retry-after", HTTP_FIELD_RETRY_AFTER);
		HTTP_NAME("traceparent", HTTP_FIELD_TRACEPARENT);
		break;
	case 12:
		HTTP_NAME("content-type", HTTP_FIELD_CONTENT_TYPE);
		HTTP_NAME("proxy-status", HTTP_FIELD_PROXY_STATUS);
		HTTP_NAME("x-request-id", HTTP_FIELD_X_REQUEST_ID);
		break;
	case 13:
		HTTP_NAME("authorization", HTTP_FIELD_AUTHORIZATION);
		break;
	case 14:
		HTTP_NAME("content-length", HTTP_FIELD_CONTENT_LENGTH);
		HTTP_NAME("http2-settings", HTTP_FIELD_HTTP2_SETTINGS);
		break;
	case 15:
		HTTP_NAME("x-forwarded-for", HTTP_FIELD_X_FORWARDED_FOR);
		break;
	case 16:
		HTTP_NAME("proxy-connection", HTTP_FIELD_PROXY_CONNECTION);
		HTTP_NAME("x-forwarded-host", HTTP_FIELD_X_FORWARDED_HOST);
		HTTP_NAME("x-forwarded-port", HTTP_FIELD_X_FORWARDED_PORT);
		break;
	case 17:
		HTTP_NAME("transfer-encoding", HTTP_FIELD_TRANSFER_ENCODING);
		HTTP_NAME("x-forwarded-proto", HTTP_FIELD_X_FORWARDED_PROTO);
		break;
	case 18:
		HTTP_NAME("proxy-authenticate", HTTP_FIELD_PROXY_AUTHENTICATE);
		HTTP_NAME("x-forwarded-prefix", HTTP_FIELD_X_FORWARDED_PREFIX);
		break;
	case 19:
		HTTP_NAME("proxy-authorization", HTTP_FIELD_PROXY_AUTHORIZATION);
		break;
	default:
		break;
	}
	return HTTP_FIELD_OTHER;
}

#undef HTTP_NAME

#endif
