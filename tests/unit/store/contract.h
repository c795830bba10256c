/*
 * tests/unit/store/contract.h - what holds for every driver of the store.
 */
/* SPDX-License-Identifier: ISC */
#ifndef TESTS_STORE_CONTRACT_H
#define TESTS_STORE_CONTRACT_H

#include "fixture.h"

/* Runs all sentences, each on a fixture that make() opens empty.  Returns
 * the count of those that failed. */
int contract_run(const char *driver, void (*make)(struct fixture *));

/* contract_history.c: a part of the above, called by it. */
int contract_run_history(const char *driver);

/* A sentence of the contract; its state is a struct fixture. */
#define SENTENCE(test)                                                \
	cmocka_unit_test_setup_teardown(test, contract_set_up,        \
	    contract_tear_down)
int contract_set_up(void **state);
int contract_tear_down(void **state);

#endif
