/*
 * tests/unit/store/test_store_memory.c - the contract, in plain memory.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "contract.h"

static void
make(struct fixture *fixture)
{
	fixture_new(fixture, STORE_MEMORY, "", "");
	assert_int_equal(fixture_open(fixture), STORE_OK);
}

int
main(void)
{
	return contract_run("memory", make);
}
