/*
 * registryd/main.c - sluice-registryd: owns the store and the admin API;
 * the only writer of routes.
 */
/* SPDX-License-Identifier: ISC */
#include <malloc.h>

#include "daemon/daemon.h"
#include "registryd/registry.h"

int
main(int argc, char **argv)
{
	/* What the store's thread makes the loop's frees: with an arena each,
	 * a load spends a third of its time in the allocator. */
	(void)mallopt(M_ARENA_MAX, 1);
	return daemon_run(registry_role(), argc, argv);
}
