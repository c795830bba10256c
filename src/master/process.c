/*
 * master/process.c - one role's life: start, orders, death, restart.
 */
/* SPDX-License-Identifier: ISC */
#include "master/process.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "ipc/inherited.h"
#include "ipc/role_msg.h"
#include "master/equip.h"
#include "master/master.h"
#include "master/roles.h"
#include "master/spawn.h"
#include "master/supervise.h"

/* How much later than its deadline a role is killed. */
#define PROCESS_KILL_AFTER_MS 1000

/* Figures that others read ---------------------------------------------- */

static void
set_state(struct process *process, enum role_state state)
{
	struct role_status *row =
	    &process->master->status->roles[process->index];

	process->state = state;
	atomic_store_explicit(&row->state, state, memory_order_relaxed);
	atomic_store_explicit(&row->pid, (uint32_t)process->pid,
	    memory_order_relaxed);
}

static void
publish_start(const struct process *process)
{
	struct role_status *row =
	    &process->master->status->roles[process->index];

	atomic_store_explicit(&row->kind, process->kind, memory_order_relaxed);
	atomic_store_explicit(&row->region, process->region,
	    memory_order_relaxed);
	atomic_store_explicit(&row->started_wall_ms, clock_wall_ms(),
	    memory_order_relaxed);
}

static void
publish_end(const struct process *process, int wait_status)
{
	struct role_status *row =
	    &process->master->status->roles[process->index];

	atomic_store_explicit(&row->last_exit, (uint32_t)wait_status,
	    memory_order_relaxed);
	if (process->is_wanted)
		atomic_fetch_add_explicit(&row->restarts, 1,
		    memory_order_relaxed);
}

static int
open_program(const struct master *master, const struct role_row *row)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", master->settings->program_dir,
	    row->program);
	return open(path, O_PATH | O_CLOEXEC);
}

/* Start ------------------------------------------------------------------ */

static void
kill_after(struct process *process, struct instant deadline)
{
	int64_t left_ms = instant_diff_ms(deadline, clock_now());

	left_ms = left_ms < 0 ? 0 : left_ms;
	ev_now_update(process->master->loop);
	ev_timer_stop(process->master->loop, &process->kill);
	ev_timer_set(&process->kill,
	    (double)(left_ms + PROCESS_KILL_AFTER_MS) / 1000.0, 0.0);
	ev_timer_start(process->master->loop, &process->kill);
}

/* It is dead, or closed; then it drains as if master were dead. */
static void
on_closed(void *context)
{
	struct process *process = context;

	channel_free(&process->channel);
	kill_after(process, instant_after_ms(clock_now(),
	    process->master->settings->shutdown_timeout_ms));
}

static int
on_message(void *context, const struct channel_message *message)
{
	struct process *process = context;

	if (message->type == FROM_ROLE_READY && message->body_len == 0 &&
	    message->fd_count == 0) {
		if (process->state != ROLE_STARTING)
			return 0;
		set_state(process, ROLE_READY);
		supervise_ready(process);
		return 0;
	}
	return supervise_message(process, message);
}

static int
open_channel(struct process *process, int fd)
{
	const struct channel_handlers handlers = {
		.message = on_message,
		.closed = on_closed,
		.context = process,
	};

	process->channel = channel_new(process->master->loop, fd,
	    ROLE_MSG_VERSION, &handlers);
	return process->channel == NULL ? -1 : 0;
}

/* Forks, with everything laid out.  Returns the pid, or -1 with errno. */
static pid_t
spawn_role(struct process *process, const struct role_row *row)
{
	const struct master *master = process->master;
	struct temporary_fds temporary = { .count = 0 };
	struct spawn_plan plan = {
		.program = row->program,
		.region = process->region,
		.identity = &master->identity,
	};
	int ends[2] = { -1, -1 };
	pid_t pid = -1;

	if ((plan.program_fd = open_program(master, row)) == -1)
		return -1;
	if (channel_pair(ends) == 0 &&
	    equip_add(&plan, &temporary, ends[1], FD_MASTER) == 0 &&
	    open_channel(process, ends[0]) == 0 &&
	    equip_role(process, &plan, &temporary) == 0)
		pid = spawn(&plan);
	equip_close(&temporary);
	close(plan.program_fd);
	if (pid == -1)
		channel_free(&process->channel);
	return pid;
}

static void
start(struct process *process)
{
	const struct role_row *row = role_row(process->kind);
	struct master *master = process->master;

	process->started = clock_now();
	process->pid = spawn_role(process, row);
	if (process->pid == -1) {
		process->pid = 0;
		log_error("%s %u: %s/%s: cannot be started: %m", row->name,
		    process->region, master->settings->program_dir,
		    row->program);
		set_state(process, ROLE_DEAD);
		supervise_ended(process, EX_OSERR << 8);
		return;
	}
	log_info("%s %u: started as pid %d", row->name, process->region,
	    (int)process->pid);
	publish_start(process);
	set_state(process, ROLE_STARTING);
	ev_child_set(&process->child, process->pid, 0);
	ev_child_start(master->loop, &process->child);
}

static void
on_restart(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	start(timer->data);
}

/* End -------------------------------------------------------------------- */

static void
log_end(const struct process *process, int wait_status)
{
	const char *name = role_row(process->kind)->name;
	enum log_level level = process->is_wanted ? LOG_LEVEL_ERROR
						  : LOG_LEVEL_INFO;

	if (WIFSIGNALED(wait_status))
		log_write(process->state == ROLE_DRAINING ?
		    LOG_LEVEL_WARN : level,
		    "%s %u: pid %d: killed by signal %d (%s)", name,
		    process->region, (int)process->pid, WTERMSIG(wait_status),
		    strsignal(WTERMSIG(wait_status)));
	else
		log_write(level, "%s %u: pid %d: exit status %d", name,
		    process->region, (int)process->pid,
		    WEXITSTATUS(wait_status));
}

static void
on_child(struct ev_loop *loop, ev_child *child, int events)
{
	struct process *process = child->data;
	int wait_status = child->rstatus;

	(void)events;
	ev_child_stop(loop, child);
	ev_timer_stop(loop, &process->kill);
	channel_free(&process->channel);
	log_end(process, wait_status);
	process->pid = 0;
	publish_end(process, wait_status);
	set_state(process, process->is_wanted ? ROLE_DEAD : ROLE_RETIRED);
	supervise_ended(process, wait_status);
}

void
process_restart_later(struct process *process)
{
	int64_t lived_ms = instant_diff_ms(clock_now(), process->started);
	int64_t pause_ms = pause_after_death(&process->pause, lived_ms);

	if (pause_ms > 0)
		log_notice("%s %u: next start in %lld ms",
		    role_row(process->kind)->name, process->region,
		    (long long)pause_ms);
	ev_now_update(process->master->loop);
	ev_timer_set(&process->restart, (double)pause_ms / 1000.0, 0.0);
	ev_timer_start(process->master->loop, &process->restart);
}

static void
on_kill(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct process *process = timer->data;

	(void)loop;
	(void)events;
	log_warn("%s %u: pid %d: did not finish in time: killed",
	    role_row(process->kind)->name, process->region, (int)process->pid);
	process_kill(process);
}

/* Orders ----------------------------------------------------------------- */

bool
process_is_running(const struct process *process)
{
	return process->pid != 0;
}

void
process_order(struct process *process, uint16_t type, const void *body,
    size_t body_len, int fd)
{
	if (process->channel == NULL)
		return;
	if (channel_send(process->channel, type, body, body_len, &fd,
		fd == -1 ? 0 : 1) == -1)
		log_warn("%s %u: pid %d: cannot be told: %m",
		    role_row(process->kind)->name, process->region,
		    (int)process->pid);
}

void
process_drain(struct process *process, struct instant deadline)
{
	const struct role_drain order = {
		.deadline_ns = deadline.ns,
		.is_stop = process->master->phase >= MASTER_STOPPING_WORKERS,
	};

	process->is_wanted = false;
	ev_timer_stop(process->master->loop, &process->restart);
	if (!process_is_running(process)) {
		if (process->state == ROLE_DEAD)
			set_state(process, ROLE_RETIRED);
		return;
	}
	set_state(process, ROLE_DRAINING);
	process_order(process, TO_ROLE_DRAIN, &order, sizeof(order), -1);
	if (deadline.ns != 0)
		kill_after(process, deadline);
}

void
process_kill(struct process *process)
{
	process->is_wanted = false;
	ev_timer_stop(process->master->loop, &process->restart);
	if (process_is_running(process))
		kill(process->pid, SIGKILL);
}

/* ------------------------------------------------------------------------ */

void
process_init(struct process *process, struct master *master, uint32_t index)
{
	*process = (struct process){
		.master = master,
		.index = index,
		.state = ROLE_EMPTY,
		.peer_fd = -1,
		.orphan_fd = -1,
	};
	ev_child_init(&process->child, on_child, 0, 0);
	ev_timer_init(&process->restart, on_restart, 0.0, 0.0);
	ev_timer_init(&process->kill, on_kill, 0.0, 0.0);
	process->child.data = process;
	process->restart.data = process;
	process->kill.data = process;
}

void
process_begin(struct process *process, enum role_kind kind, uint32_t slot,
    uint32_t set)
{
	process->kind = kind;
	process->region = kind == ROLE_WORKER
	    ? process->index - WORKER_INDEX_FIRST
	    : 0;
	process->slot = slot;
	process->set = set;
	process->is_wanted = true;
	process->pause = (struct pause){ 0 };
	start(process);
}

void
process_release(struct process *process)
{
	struct ev_loop *loop = process->master->loop;

	ev_child_stop(loop, &process->child);
	ev_timer_stop(loop, &process->restart);
	ev_timer_stop(loop, &process->kill);
	channel_free(&process->channel);
	if (process->peer_fd != -1)
		close(process->peer_fd);
	process->peer_fd = -1;
	if (process->orphan_fd != -1)
		close(process->orphan_fd);
	process->orphan_fd = -1;
}
