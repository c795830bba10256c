/*
 * master/equip.c - the descriptors that a role is given for its start.
 */
/* SPDX-License-Identifier: ISC */
#include "master/equip.h"

#include <errno.h>
#include <unistd.h>

#include "ipc/inherited.h"
#include "ipc/role_msg.h"
#include "master/master.h"
#include "master/roles.h"

void
equip_close(struct temporary_fds *temporary)
{
	int err = errno;

	for (uint32_t i = 0; i < temporary->count; i++)
		close(temporary->list[i]);
	temporary->count = 0;
	errno = err;
}

int
equip_add(struct spawn_plan *plan, struct temporary_fds *temporary, int fd,
    int to)
{
	if (fd == -1)
		return -1;
	temporary->list[temporary->count++] = fd;
	spawn_plan_add(plan, fd, to);
	return 0;
}

static struct process *
peer_of(const struct process *process)
{
	return &process->master->processes[process->index == REGISTRYD_INDEX
		? HEALTHD_INDEX
		: REGISTRYD_INDEX];
}

/* One end for the child, the other for its peer: at once where it runs,
 * else with its start. */
static int
add_peer(struct process *process, struct spawn_plan *plan,
    struct temporary_fds *temporary)
{
	struct process *peer = peer_of(process);
	int ends[2];

	if (process->peer_fd != -1) {
		int fd = process->peer_fd;

		process->peer_fd = -1;
		return equip_add(plan, temporary, fd, FD_PEER);
	}
	if (channel_pair(ends) == -1)
		return -1;
	if (equip_add(plan, temporary, ends[0], FD_PEER) == -1)
		return -1;
	if (process_is_running(peer)) {
		process_order(peer, TO_ROLE_PEER, NULL, 0, ends[1]);
		close(ends[1]);
	} else {
		if (peer->peer_fd != -1)
			close(peer->peer_fd);
		peer->peer_fd = ends[1];
	}
	return 0;
}

static void
add_listeners(const struct process *process, const struct role_row *row,
    struct spawn_plan *plan)
{
	const struct master *master = process->master;
	const struct listeners *listeners = row->listens == ROLE_LISTENS_TRAFFIC
	    ? &master->traffic
	    : &master->admin;
	int to = FD_LISTEN_FIRST;

	if (row->listens == ROLE_LISTENS_NOT)
		return;
	for (uint32_t i = 0; i < listeners->count; i++)
		spawn_plan_add(plan, listeners->list[i].fds[process->slot],
		    to++);
}

int
equip_role(struct process *process, struct spawn_plan *plan,
    struct temporary_fds *temporary)
{
	const struct role_row *row = role_row(process->kind);
	const struct master *master = process->master;
	const char *dir = master->segment_dir;

	spawn_plan_add(plan, master->settings_fd, FD_SETTINGS);
	if (equip_add(plan, temporary,
		segment_open_writable(dir, row->region, process->region),
		FD_REGION) == -1)
		return -1;
	if (row->has_limits && equip_add(plan, temporary,
		segment_open_writable(dir, SEGMENT_LIMITS, 0), FD_LIMITS) == -1)
		return -1;
	if (row->has_failures)
		spawn_plan_add(plan, master->failures_fd, FD_FAILURES);
	if (row->has_certificates && master->certificates_fd != -1)
		spawn_plan_add(plan, master->certificates_fd,
		    FD_CERTIFICATES);
	add_listeners(process, row, plan);
	return row->has_peer ? add_peer(process, plan, temporary) : 0;
}
