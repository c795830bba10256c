/*
 * tests/shm/stray_store.c - a reader that writes dies of SIGSEGV.
 */
/* SPDX-License-Identifier: ISC */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shm/fixture.h"

static void
store_astray(const struct fixture *fixture, enum segment_region kind)
{
	const struct rlimit no_core = { 0, 0 };
	struct region region;

	/* A sanitizer would catch the signal and say the same at length. */
	(void)signal(SIGSEGV, SIG_DFL);
	(void)setrlimit(RLIMIT_CORE, &no_core);
	if (region_map_path(fixture->dir, kind, 0, &region) == -1)
		_exit(2);
	*(volatile char *)(region.base + sizeof(struct region_header)) = 1;
	_exit(0);
}

int
main(void)
{
	static const enum segment_region kinds[] = { SEGMENT_ROUTES,
		SEGMENT_HEALTH, SEGMENT_LIMITS, SEGMENT_MASTER,
		SEGMENT_WORKER };
	struct fixture fixture;
	int status, fault_count = 0;
	pid_t pid;

	fixture_make(&fixture, 10);
	if (segment_create_worker(fixture.dir, 0, &fixture.capacity,
		(uid_t)-1, (gid_t)-1) == -1)
		err(1, "segment_create_worker");
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if ((pid = fork()) == -1)
			err(1, "fork");
		if (pid == 0)
			store_astray(&fixture, kinds[i]);
		if (waitpid(pid, &status, 0) == -1)
			err(1, "waitpid");
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSEGV) {
			warnx("region %zu: a store ended with %#x", i, status);
			fault_count++;
		}
	}
	fixture_remove(&fixture);
	return fault_count > 0;
}
