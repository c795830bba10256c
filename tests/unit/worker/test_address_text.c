/*
 * tests/unit/worker/test_address_text.c - addresses as inet_ntop() has them.
 */
/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "worker/address_text.h"

static void
assert_written(const struct in6_addr *address, const char *wanted)
{
	char *text = malloc(INET6_ADDRSTRLEN);
	struct bytes got;

	assert_non_null(text);
	got = address_text_write(address, text);
	if (!bytes_is(got, wanted))
		fail_msg("\"%.*s\" for \"%s\"", BYTES_ARGS(got), wanted);
	free(text);
}

static void
writes_ipv4(void **state)
{
	(void)state;
	for (int i = 0; i < 256; i++) {
		char wanted[INET_ADDRSTRLEN], mapped[INET6_ADDRSTRLEN];
		struct in6_addr address;

		snprintf(wanted, sizeof(wanted), "%d.%d.%d.%d", i, 255 - i,
		    i / 2, i);
		snprintf(mapped, sizeof(mapped), "::ffff:%s", wanted);
		assert_int_equal(inet_pton(AF_INET6, mapped, &address), 1);
		assert_written(&address, wanted);
	}
}

static void
writes_the_others(void **state)
{
	struct in6_addr address = IN6ADDR_ANY_INIT;

	(void)state;
	assert_written(&address, "unix");
	assert_int_equal(inet_pton(AF_INET6, "2001:DB8:0::1", &address), 1);
	assert_written(&address, "2001:db8::1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_ipv4),
		cmocka_unit_test(writes_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
