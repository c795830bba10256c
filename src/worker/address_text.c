/*
 * worker/address_text.c - a client's address, as others are told of it.
 *
 * It is written for each request, since idle connections would need memory
 * to keep it: so a byte's text comes from a table.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/address_text.h"

#include <arpa/inet.h>

#define DIGIT(n) ((char)('0' + (n) % 10))

/* A number of up to three digits, and a dot. */
#define TEXT(n)                                                                \
	{                                                                      \
		(n) >= 100 ? DIGIT((n) / 100)                                  \
			   : (n) >= 10 ? DIGIT((n) / 10) : DIGIT(n),           \
		(n) >= 100 ? DIGIT((n) / 10) : (n) >= 10 ? DIGIT(n) : '.',     \
		(n) >= 100 ? DIGIT(n) : '.',                                   \
		'.',                                                           \
	}
#define TEXTS_4(n)   TEXT(n), TEXT((n) + 1), TEXT((n) + 2), TEXT((n) + 3)
#define TEXTS_16(n)                                                            \
	TEXTS_4(n), TEXTS_4((n) + 4), TEXTS_4((n) + 8), TEXTS_4((n) + 12)
#define TEXTS_64(n)                                                            \
	TEXTS_16(n), TEXTS_16((n) + 16), TEXTS_16((n) + 32), TEXTS_16((n) + 48)

static const char byte_texts[256][4] = {
	TEXTS_64(0), TEXTS_64(64), TEXTS_64(128), TEXTS_64(192),
};

/* Writes the byte and a dot, and maybe more behind it: four in all. */
static inline char *
put_byte(char *to, uint8_t byte)
{
	memcpy(to, byte_texts[byte], 4);
	return to + 2 + (byte >= 10) + (byte >= 100);
}

static size_t
write_v4(const uint8_t *address, char *text)
{
	char *end = text;

	for (int i = 0; i < 4; i++)
		end = put_byte(end, address[i]);
	return (size_t)(end - text) - 1;
}

struct bytes
address_text_write(const struct in6_addr *address,
    char text[INET6_ADDRSTRLEN])
{
	if (IN6_IS_ADDR_V4MAPPED(address))
		return bytes_slice(text, write_v4(&address->s6_addr[12],
		    text));
	if (IN6_IS_ADDR_UNSPECIFIED(address))
		return bytes_of("unix");
	(void)inet_ntop(AF_INET6, address, text, INET6_ADDRSTRLEN);
	return bytes_of(text);
}
