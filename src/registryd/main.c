/*
 * registryd/main.c - sluice-registryd: owns the store and the admin API;
 * the only writer of routes.
 */
/* SPDX-License-Identifier: ISC */
#include "daemon/daemon.h"
#include "registryd/registry.h"

int
main(int argc, char **argv)
{
	return daemon_run(registry_role(), argc, argv);
}
