/*
 * routing/condition.c - what an order of maintenance or drain means now.
 */
/* SPDX-License-Identifier: ISC */
#include "routing/condition.h"

#include <arpa/inet.h>
#include <string.h>

#define V4_PREFIX_BITS 96		/* of an IPv4 address in IPv6 */

struct address_block {
	struct in6_addr address;	/* IPv4 mapped */
	unsigned int bits;		/* of it that count */
};

/* Reads "10.0.0.0/8", "::1" and such. */
static bool
read_block(struct bytes word, struct address_block *block_r)
{
	char text[INET6_ADDRSTRLEN];
	struct bytes address;
	unsigned long long bits;
	struct in_addr v4;
	unsigned int skip = 0;

	(void)bytes_next_field(&word, '/', &address);
	if (address.len == 0 || address.len >= sizeof(text))
		return false;
	memcpy(text, address.data, address.len);
	text[address.len] = '\0';
	if (inet_pton(AF_INET, text, &v4) == 1) {
		memset(&block_r->address, 0, sizeof(block_r->address));
		memset(block_r->address.s6_addr + 10, 0xff, 2);
		memcpy(block_r->address.s6_addr + 12, &v4, sizeof(v4));
		skip = V4_PREFIX_BITS;
	} else if (inet_pton(AF_INET6, text, &block_r->address) != 1) {
		return false;
	}
	block_r->bits = 128;
	if (word.data == NULL)
		return true;
	if (bytes_to_number(word, 128 - skip, &bits) == -1)
		return false;
	block_r->bits = skip + (unsigned int)bits;
	return true;
}

static bool
is_in_block(const struct address_block *block, const struct in6_addr *address)
{
	unsigned int whole = block->bits / 8, rest = block->bits % 8;
	unsigned int mask = 0xff00u >> rest & 0xff;

	if (memcmp(block->address.s6_addr, address->s6_addr, whole) != 0)
		return false;
	return rest == 0 ||
	    ((block->address.s6_addr[whole] ^ address->s6_addr[whole]) &
	    mask) == 0;
}

bool
address_list_has(struct bytes list, const struct in6_addr *address)
{
	struct address_block block;
	struct bytes word;

	while (bytes_next_field(&list, ',', &word))
		if (read_block(bytes_trim(word), &block) &&
		    is_in_block(&block, address))
			return true;
	return false;
}

struct bytes
address_list_fault(struct bytes list)
{
	struct address_block block;
	struct bytes word;

	if (list.len == 0)
		return list;
	while (bytes_next_field(&list, ',', &word))
		if (!read_block(bytes_trim(word), &block))
			return word.len > 0 ? word : bytes_of(",");
	return bytes_slice(NULL, 0);
}

bool
condition_keeps_out(const struct condition_spec *condition,
    const struct in6_addr *client, struct instant now)
{
	if (!condition->in_maintenance ||
	    (condition->maintenance_until_ns != 0 &&
	    now.ns >= condition->maintenance_until_ns))
		return false;
	return client == NULL || condition->allow.len == 0 ||
	    !address_list_has(condition->allow, client);
}

struct instant
condition_drain_end(const struct condition_spec *condition)
{
	struct instant start = { condition->drain_start_ns };

	if (condition->drain_start_ns == 0)
		return start;
	return instant_after_ms(start, condition->drain_span_ms);
}

double
condition_share_left(const struct condition_spec *condition,
    struct instant now)
{
	int64_t span_ns = condition->drain_span_ms * NS_PER_MS;
	int64_t left_ns = condition->drain_start_ns + span_ns - now.ns;

	if (condition->drain_start_ns == 0)
		return 1;
	if (left_ns <= 0)
		return 0;
	return left_ns >= span_ns ? 1 : (double)left_ns / (double)span_ns;
}
