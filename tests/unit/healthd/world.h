/*
 * tests/unit/healthd/world.h - a segment, a monitor and backends to probe.
 *
 * All in one loop: the test's backends answer from the loop in which the
 * monitor probes.  world_run_until() turns it until something is so; a
 * watchdog fails the test that waits for ever.
 */
/* SPDX-License-Identifier: ISC */
#ifndef TESTS_HEALTHD_WORLD_H
#define TESTS_HEALTHD_WORLD_H

#include <ev.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "conf/settings.h"
#include "daemon/resolver.h"
#include "healthd/monitor.h"
#include "healthd/roster.h"
#include "shm/segment.h"
#include "shm/table_writer.h"

struct world {
	char root[64], dir[SEGMENT_DIR_SIZE];
	struct ev_loop *loop;
	struct settings *settings;
	struct table_writer *writer;
	struct route_table *table;
	struct health_map *health;
	struct resolver *resolver;
	struct monitor *monitor;
	struct roster *roster;
	uint64_t generation, next_id;
	struct health_changed changed;	/* the latest */
	uint32_t changed_count;
	bool is_late;
};

void world_open(struct world *);
void world_close(struct world *);

/* Ends the monitor and makes another on the same segment. */
void world_restart_monitor(struct world *);

/* A service with these backends (host, port); slots_r gets their slots. */
uint32_t world_add_service(struct world *, const struct probe_spec *,
    const struct backend_spec *backends, uint32_t count, uint32_t *slots_r);

/* Turns the loop until is_so says true. */
void world_run_until(struct world *, bool (*is_so)(struct world *, void *),
    void *context);

/* The flags of a slot, of the tenant that the table has. */
uint32_t world_flags(struct world *, uint32_t slot);
uint32_t world_generation(struct world *, uint32_t slot);

/* Until the slot has these flags. */
void world_wait_flags(struct world *, uint32_t slot, uint32_t flags);

/* A backend of the test's. */
struct fake {
	struct ev_loop *loop;
	ev_io accepting;
	uint16_t port;
	const char *answer;		/* NULL: none, the connection stays
					 * open; "": closed at once */
	char request[2048];		/* the latest */
	uint32_t accepted_count;
	LIST_HEAD(, visitor) visitors;	/* connections that are open */
};

void fake_open(struct fake *, struct ev_loop *, const char *answer);
/* At ::1 alone; false where there is no IPv6. */
bool fake_open_v6(struct fake *, struct ev_loop *, const char *answer);
void fake_open_unix(struct fake *, struct ev_loop *, const char *path,
    const char *answer);
void fake_close(struct fake *);

#endif
