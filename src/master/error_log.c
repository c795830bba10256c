/*
 * master/error_log.c - master's own error log.
 */
/* SPDX-License-Identifier: ISC */
#include "master/error_log.h"

#include "common/log.h"

int
error_log_open(const struct master *master)
{
	int result;

	identity_enter(&master->identity);
	result = log_open("master", master->settings->log.error);
	identity_leave(&master->identity);
	return result;
}

int
error_log_reopen(const struct master *master)
{
	int result;

	identity_enter(&master->identity);
	result = log_reopen();
	identity_leave(&master->identity);
	return result;
}
