/*
 * tests/unit/worker/test_trusted_proxies.c - whose word is taken.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "common/compat.h"
#include "worker/trusted_proxies.h"

static struct in6_addr
address_of(const char *text)
{
	struct in6_addr address = { 0 };
	char mapped[64] = "::ffff:";

	if (strchr(text, ':') == NULL)
		text = strncat(mapped, text, sizeof(mapped) - 8);
	assert_int_equal(inet_pton(AF_INET6, text, &address), 1);
	return address;
}

static const struct {
	const char *sentence, *entry, *peer;
	bool want;
} cases[] = {
	{ "an address is itself", "192.0.2.7", "192.0.2.7", true },
	{ "and no other", "192.0.2.7", "192.0.2.8", false },
	{ "a block holds its first", "10.0.0.0/8", "10.0.0.0", true },
	{ "and its last", "10.0.0.0/8", "10.255.255.255", true },
	{ "and not the next", "10.0.0.0/8", "11.0.0.0", false },
	{ "prefixes end within a byte", "10.1.2.128/25", "10.1.2.129", true },
	{ "on both sides", "10.1.2.128/25", "10.1.2.127", false },
	{ "bits behind a prefix are ignored", "10.1.2.3/16", "10.1.9.9", true },
	{ "/32 is one address", "10.1.2.3/32", "10.1.2.4", false },
	{ "/0 is every IPv4 address", "0.0.0.0/0", "203.0.113.1", true },
	{ "but no IPv6 address", "0.0.0.0/0", "2001:db8::1", false },
	{ "IPv6 addresses too", "2001:db8::1", "2001:db8::1", true },
	{ "IPv6 blocks too", "2001:db8::/33", "2001:db8:7fff::1", true },
	{ "with their edge", "2001:db8::/33", "2001:db8:8000::1", false },
	{ "::/0 is everybody", "::/0", "192.0.2.7", true },
	{ "::1/128 is one", "::1/128", "::1", true },
};

static void
a_block_includes_what_it_covers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *entry = (char *)(uintptr_t)cases[i].entry;
		const struct address_list list = { &entry, 1 };
		struct in6_addr peer = address_of(cases[i].peer);
		struct trusted_proxies *trusted;
		const char *bad;

		trusted = trusted_proxies_new(&list, &bad);
		assert_non_null(trusted);
		if (trusted_proxies_include(trusted, &peer) != cases[i].want)
			fail_msg("%s", cases[i].sentence);
		trusted_proxies_free(&trusted);
		assert_null(trusted);
	}
}

static void
an_entry_that_is_no_block_is_named(void **state)
{
	static const char *const bad_entries[] = { "", "proxy", "10.0.0.0/33",
		"10.0.0/8", "::1/129", "10.0.0.0/", "10.0.0.0/-1", "/8",
		"10.0.0.0/8/8", "10.0.0.1 ", "2001:db8::1%eth0" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad_entries); i++) {
		char *entries[2] = { (char *)(uintptr_t)"192.0.2.1",
			(char *)(uintptr_t)bad_entries[i] };
		const struct address_list list = { entries, 2 };
		const char *bad = NULL;

		errno = 0;
		if (trusted_proxies_new(&list, &bad) != NULL)
			fail_msg("\"%s\" was taken", bad_entries[i]);
		assert_int_equal(errno, EINVAL);
		assert_ptr_equal(bad, bad_entries[i]);
	}
}

static void
nobody_is_trusted_by_an_empty_list(void **state)
{
	const struct address_list list = { NULL, 0 };
	struct in6_addr peer = address_of("127.0.0.1");
	struct trusted_proxies *trusted;
	const char *bad;

	(void)state;
	trusted = trusted_proxies_new(&list, &bad);
	assert_non_null(trusted);
	assert_false(trusted_proxies_include(trusted, &peer));
	trusted_proxies_free(&trusted);
	trusted_proxies_free(&trusted);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_includes_what_it_covers),
		cmocka_unit_test(an_entry_that_is_no_block_is_named),
		cmocka_unit_test(nobody_is_trusted_by_an_empty_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
