/*
 * master/workers.c - the workers: a set of them, and its successor.
 */
/* SPDX-License-Identifier: ISC */
#include "master/workers.h"

#include "common/log.h"
#include "master/capacity.h"
#include "master/master.h"
#include "master/orphans.h"

static struct instant
drain_deadline(const struct master *master)
{
	return instant_after_ms(clock_now(),
	    master->settings->shutdown_timeout_ms);
}

static bool
is_free(struct process *process)
{
	return !process_is_running(process) && !process->is_wanted &&
	    orphan_has_left(&process->orphan_fd);
}

static struct process *
find_free(struct master *master)
{
	for (uint32_t i = WORKER_INDEX_FIRST; i < MASTER_ROLES_MAX; i++)
		if (is_free(&master->processes[i]))
			return &master->processes[i];
	return NULL;
}

static void
begin_worker(struct master *master, uint32_t slot)
{
	const struct segment_capacity capacity =
	    capacity_of(master->settings);
	struct process *process = find_free(master);

	if (master->phase >= MASTER_STOPPING_WORKERS)
		return;
	if (process == NULL) {
		log_error("worker: slot %u: no region is free of old workers; "
			  "reload again when they have left", slot);
		return;
	}
	if (segment_create_worker(master->segment_dir,
		process->index - WORKER_INDEX_FIRST, &capacity, (uid_t)-1,
		capacity_group(&master->identity)) == -1)
		log_error("worker: slot %u: region %u: %m", slot,
		    process->index - WORKER_INDEX_FIRST);
	process_begin(process, ROLE_WORKER, slot, master->worker_set);
}

/* The one of the newest set that has the slot, or NULL. */
static struct process *
find_slot(struct master *master, uint32_t slot)
{
	for (uint32_t i = WORKER_INDEX_FIRST; i < MASTER_ROLES_MAX; i++) {
		struct process *process = &master->processes[i];

		if (process->is_wanted && process->slot == slot &&
		    process->set == master->worker_set)
			return process;
	}
	return NULL;
}

/* Not drained yet, but neither started again should it die. */
static void
abandon(struct process *process)
{
	if (process_is_running(process))
		process->is_wanted = false;
	else if (process->is_wanted)
		process_drain(process, (struct instant){ 0 });
}

void
workers_begin_set(struct master *master)
{
	for (uint32_t i = WORKER_INDEX_FIRST; i < MASTER_ROLES_MAX; i++)
		abandon(&master->processes[i]);
	master->worker_set++;
	for (uint32_t slot = 0; slot < master->worker_count; slot++)
		begin_worker(master, slot);
}

void
workers_fit(struct master *master)
{
	for (uint32_t i = WORKER_INDEX_FIRST; i < MASTER_ROLES_MAX; i++) {
		struct process *process = &master->processes[i];

		if (process->is_wanted && process->slot >= master->worker_count)
			process_drain(process, drain_deadline(master));
	}
	for (uint32_t slot = 0; slot < master->worker_count; slot++)
		if (find_slot(master, slot) == NULL)
			begin_worker(master, slot);
}

bool
workers_are_ready(const struct master *master)
{
	uint32_t ready_count = 0;

	for (uint32_t i = WORKER_INDEX_FIRST; i < MASTER_ROLES_MAX; i++) {
		const struct process *process = &master->processes[i];

		if (process->is_wanted && process->state == ROLE_READY &&
		    process->set == master->worker_set)
			ready_count++;
	}
	return ready_count >= master->worker_count;
}

void
workers_drain_old(struct master *master)
{
	for (uint32_t i = WORKER_INDEX_FIRST; i < MASTER_ROLES_MAX; i++) {
		struct process *process = &master->processes[i];

		if (process_is_running(process) &&
		    process->state != ROLE_DRAINING &&
		    process->set != master->worker_set)
			process_drain(process, drain_deadline(master));
	}
}

bool
workers_have_old(const struct master *master)
{
	for (uint32_t i = WORKER_INDEX_FIRST; i < MASTER_ROLES_MAX; i++)
		if (process_is_running(&master->processes[i]) &&
		    !master->processes[i].is_wanted)
			return true;
	return false;
}

void
workers_drain_all(struct master *master, struct instant deadline)
{
	for (uint32_t i = WORKER_INDEX_FIRST; i < MASTER_ROLES_MAX; i++)
		process_drain(&master->processes[i], deadline);
}

bool
workers_are_gone(const struct master *master)
{
	for (uint32_t i = WORKER_INDEX_FIRST; i < MASTER_ROLES_MAX; i++)
		if (process_is_running(&master->processes[i]))
			return false;
	return true;
}
