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
	static const struct daemon_role role = {
		.name = "registryd",
		.start = registry_start,
		.is_ready_later = true,	/* when the table is published */
		.reload = registry_reload,
		.drain = registry_drain,
		.message = registry_message,
	};

	return daemon_run(&role, argc, argv);
}
