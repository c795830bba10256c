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
/* contract_history.c: a part of the above. */
int contract_run_history(const char *driver, void (*make)(struct fixture *));

#endif
