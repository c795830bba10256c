/*
 * worker/trusted_proxies.c - whose forwarding fields are believed.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/trusted_proxies.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"

struct block {
	struct in6_addr address;	/* IPv4 mapped */
	unsigned int prefix_len;	/* bits of it */
};

struct trusted_proxies {
	uint32_t count;
	struct block blocks[];
};

static int
parse_address(struct bytes text, struct block *block)
{
	char copy[INET6_ADDRSTRLEN];
	struct in_addr v4;

	if (text.len == 0 || text.len >= sizeof(copy))
		return -1;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	block->prefix_len = 128;
	if (inet_pton(AF_INET6, copy, &block->address) == 1)
		return 128;
	if (inet_pton(AF_INET, copy, &v4) != 1)
		return -1;
	memset(&block->address, 0, sizeof(block->address));
	block->address.s6_addr[10] = block->address.s6_addr[11] = 0xff;
	memcpy(&block->address.s6_addr[12], &v4, sizeof(v4));
	return 32;
}

static int
parse_block(const char *text, struct block *block)
{
	struct bytes rest = bytes_of(text), address = { NULL, 0 };
	unsigned long long prefix_len;
	int bits;

	if (!bytes_next_field(&rest, '/', &address))
		return -1;
	if ((bits = parse_address(address, block)) == -1)
		return -1;
	if (rest.data == NULL)
		return 0;
	if (bytes_to_number(rest, (unsigned int)bits, &prefix_len) == -1)
		return -1;
	block->prefix_len = 128u - (unsigned int)bits +
	    (unsigned int)prefix_len;
	return 0;
}

struct trusted_proxies *
trusted_proxies_new(const struct address_list *list, const char **bad_r)
{
	struct trusted_proxies *trusted;

	trusted = calloc(1, sizeof(*trusted) +
	    list->count * sizeof(trusted->blocks[0]));
	if (trusted == NULL) {
		*bad_r = "";
		return NULL;
	}
	for (uint32_t i = 0; i < list->count; i++) {
		if (parse_block(list->list[i], &trusted->blocks[i]) == -1) {
			*bad_r = list->list[i];
			free(trusted);
			errno = EINVAL;
			return NULL;
		}
	}
	trusted->count = list->count;
	return trusted;
}

void
trusted_proxies_free(struct trusted_proxies **p)
{
	free(*p);
	*p = NULL;
}

static bool
is_within(const struct block *block, const struct in6_addr *address)
{
	unsigned int whole = block->prefix_len / 8;
	unsigned int bits = block->prefix_len % 8;
	unsigned int mask = 0xffu & ~(0xffu >> bits);

	if (memcmp(&block->address, address, whole) != 0)
		return false;
	return bits == 0 || ((block->address.s6_addr[whole] ^
	    address->s6_addr[whole]) & mask) == 0;
}

bool
trusted_proxies_include(const struct trusted_proxies *trusted,
    const struct in6_addr *address)
{
	for (uint32_t i = 0; i < trusted->count; i++)
		if (is_within(&trusted->blocks[i], address))
			return true;
	return false;
}
