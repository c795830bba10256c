/*
 * master/supervise.c - all roles together: start, signals, stop.
 */
/* SPDX-License-Identifier: ISC */
#include "master/supervise.h"

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "ipc/role_msg.h"
#include "master/background.h"
#include "master/error_log.h"
#include "master/master.h"
#include "master/notify.h"
#include "master/reload.h"
#include "master/roles.h"
#include "master/workers.h"

/* Deaths while starting that are taken for an accident. */
#define START_DEATHS_MAX 5
/* What registryd and healthd have at least, when workers took all. */
#define OTHERS_SPAN_MIN_MS 1000

static void
order_all(struct master *master, uint16_t type, const void *body, size_t len)
{
	for (uint32_t i = 0; i < MASTER_ROLES_MAX; i++)
		process_order(&master->processes[i], type, body, len, -1);
}

/* Stop ------------------------------------------------------------------- */

static bool
is_anybody_left(const struct master *master)
{
	for (uint32_t i = 0; i < MASTER_ROLES_MAX; i++)
		if (process_is_running(&master->processes[i]))
			return true;
	return false;
}

static struct instant
others_deadline(const struct master *master)
{
	struct instant least =
	    instant_after_ms(clock_now(), OTHERS_SPAN_MIN_MS);

	if (master->deadline.ns == 0 ||
	    !instant_is_before(master->deadline, least))
		return master->deadline;
	return least;
}

static void
drain_others(struct master *master)
{
	struct instant deadline = others_deadline(master);

	process_drain(&master->processes[REGISTRYD_INDEX], deadline);
	process_drain(&master->processes[HEALTHD_INDEX], deadline);
}

/* Goes on with a stop as far as it can. */
static void
step_stop(struct master *master)
{
	if (master->phase == MASTER_STOPPING_WORKERS &&
	    workers_are_gone(master)) {
		master->phase = MASTER_STOPPING_OTHERS;
		drain_others(master);
	}
	if (master->phase == MASTER_STOPPING_OTHERS && !is_anybody_left(master))
		ev_break(master->loop, EVBREAK_ALL);
}

static void
stop(struct master *master, bool is_bounded)
{
	int64_t span_ms = master->settings->shutdown_timeout_ms;

	if (master->phase < MASTER_STOPPING_WORKERS)
		master->phase = MASTER_STOPPING_WORKERS;
	master->has_bounded_stop = is_bounded;
	master->deadline = is_bounded ? instant_after_ms(clock_now(), span_ms)
				      : (struct instant){ 0 };
	atomic_store_explicit(&master->status->is_stopping, 1,
	    memory_order_relaxed);
	notify_stopping();
	/* who comes now is refused at once: nobody will come to serve him */
	listeners_unlink(&master->traffic);
	listeners_close(&master->traffic);
	workers_drain_all(master, master->deadline);
	if (master->phase == MASTER_STOPPING_OTHERS)
		drain_others(master);
	step_stop(master);
}

static void
kill_all(struct master *master)
{
	for (uint32_t i = 0; i < MASTER_ROLES_MAX; i++)
		process_kill(&master->processes[i]);
	step_stop(master);
}

/* Start ------------------------------------------------------------------ */

static bool
is_ready(const struct master *master, uint32_t index)
{
	return master->processes[index].state == ROLE_READY;
}

/* Goes on with a start as far as it can. */
static void
step_start(struct master *master)
{
	if (master->phase != MASTER_STARTING ||
	    !is_ready(master, REGISTRYD_INDEX) ||
	    !is_ready(master, HEALTHD_INDEX))
		return;
	if (master->worker_set == 0)
		workers_begin_set(master);
	if (!workers_are_ready(master) || master->phase != MASTER_STARTING)
		return;
	master->phase = MASTER_RUNNING;
	log_notice("ready: %u workers", master->worker_count);
	notify_ready();
	background_report(master, 0);
	if (master->is_reload_due)
		reload(master);
}

static void
begin_start(struct master *master)
{
	process_begin(&master->processes[REGISTRYD_INDEX], ROLE_REGISTRYD, 0,
	    0);
	if (master->phase == MASTER_STARTING)
		process_begin(&master->processes[HEALTHD_INDEX], ROLE_HEALTHD,
		    0, 0);
	if (master->phase == MASTER_STARTING && master->is_adopted)
		workers_begin_set(master);
}

void
supervise_ready(struct process *process)
{
	struct master *master = process->master;
	const struct role_log_level level = { log_get_level() };

	/* an operator's choice holds for those that start later, too */
	if (log_get_level() != master->settings->log.level)
		process_order(process, TO_ROLE_LOG_LEVEL, &level, sizeof(level),
		    -1);
	step_start(master);
	if (master->phase == MASTER_RUNNING && workers_are_ready(master))
		workers_drain_old(master);
}

/* A role that says by sysexits why it cannot start will not start. */
static int
hopeless_status(const struct process *process, int wait_status)
{
	int status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 0;

	if (status >= EX__BASE && status <= EX__MAX)
		return status;
	return process->pause.deaths >= START_DEATHS_MAX ? EX_SOFTWARE : 0;
}

void
supervise_ended(struct process *process, int wait_status)
{
	struct master *master = process->master;
	int status;

	if (master->phase >= MASTER_STOPPING_WORKERS) {
		process->is_wanted = false;
		step_stop(master);
		return;
	}
	if (!process->is_wanted)
		return;
	if (master->phase == MASTER_STARTING &&
	    (status = hopeless_status(process, wait_status)) != 0) {
		log_error("%s: cannot start: giving up",
		    role_row(process->kind)->name);
		process->is_wanted = false;
		master->exit_status = status;
		stop(master, true);
		return;
	}
	process_restart_later(process);
}

/* Messages --------------------------------------------------------------- */

static int
protocol_fault(void)
{
	errno = EPROTO;
	return -1;
}

static int
on_log_level_please(struct master *master,
    const struct channel_message *message)
{
	struct role_log_level wish;

	if (message->body_len != sizeof(wish))
		return protocol_fault();
	memcpy(&wish, message->body, sizeof(wish));
	if (wish.level >= LOG_LEVEL_COUNT)
		return protocol_fault();
	log_notice("log level: now %s",
	    log_level_name((enum log_level)wish.level));
	log_set_level((enum log_level)wish.level);
	order_all(master, TO_ROLE_LOG_LEVEL, &wish, sizeof(wish));
	return 0;
}

static int
on_reload_please(struct master *master, const struct channel_message *message)
{
	struct role_request request;

	if (message->body_len != sizeof(request))
		return protocol_fault();
	memcpy(&request, message->body, sizeof(request));
	reload_asked(master, request.id);
	return 0;
}

int
supervise_message(struct process *process,
    const struct channel_message *message)
{
	if (!role_row(process->kind)->may_ask || message->fd_count != 0)
		return protocol_fault();
	switch (message->type) {
	case FROM_ROLE_RELOAD_PLEASE:
		return on_reload_please(process->master, message);
	case FROM_ROLE_LOG_LEVEL_PLEASE:
		return on_log_level_please(process->master, message);
	}
	return protocol_fault();
}

/* Signals ---------------------------------------------------------------- */

typedef void signal_fn(struct master *);

static void
on_hangup(struct master *master)
{
	if (master->phase == MASTER_RUNNING)
		reload(master);
	else if (master->phase == MASTER_STARTING)
		master->is_reload_due = true;
}

static void
on_terminate(struct master *master)
{
	if (master->has_bounded_stop) {
		log_warn("stop: at once");
		kill_all(master);
		return;
	}
	log_notice("stop: within %lld ms",
	    (long long)master->settings->shutdown_timeout_ms);
	stop(master, true);
}

static void
on_quit(struct master *master)
{
	if (master->phase >= MASTER_STOPPING_WORKERS)
		return;
	log_notice("stop: when every request has been answered");
	stop(master, false);
}

static void
on_reopen(struct master *master)
{
	if (error_log_reopen(master) == -1)
		log_error("log %s: reopen: %m", master->settings->log.error);
	order_all(master, TO_ROLE_REOPEN, NULL, 0);
	log_notice("logs: reopened");
}

static void
on_upgrade(struct master *master)
{
	(void)master;
	log_warn("SIGUSR2: the upgrade of a running sluice is not supported "
		 "yet; stop and start it");
}

static void
on_retire(struct master *master)
{
	struct instant deadline = instant_after_ms(clock_now(),
	    master->settings->shutdown_timeout_ms);

	if (master->phase != MASTER_RUNNING)
		return;
	log_notice("workers: retired; a reload brings them back");
	master->are_workers_retired = true;
	workers_drain_all(master, deadline);
}

static const struct {
	int number;
	signal_fn *handle;
} signals[] = {
	{ SIGHUP, on_hangup },	 { SIGTERM, on_terminate },
	{ SIGINT, on_terminate }, { SIGQUIT, on_quit },
	{ SIGUSR1, on_reopen },	 { SIGUSR2, on_upgrade },
	{ SIGWINCH, on_retire },
};

static void
on_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
	(void)loop;
	(void)events;
	for (size_t i = 0; i < COUNT_OF(signals); i++)
		if (signals[i].number == watcher->signum)
			signals[i].handle(watcher->data);
}

/* ------------------------------------------------------------------------ */

void
supervise_run(struct master *master)
{
	ev_signal watchers[COUNT_OF(signals)];

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < COUNT_OF(signals); i++) {
		ev_signal_init(&watchers[i], on_signal, signals[i].number);
		watchers[i].data = master;
		ev_signal_start(master->loop, &watchers[i]);
	}
	begin_start(master);
	if (master->phase < MASTER_STOPPING_WORKERS || is_anybody_left(master))
		ev_run(master->loop, 0);

	for (uint32_t i = 0; i < MASTER_ROLES_MAX; i++)
		process_release(&master->processes[i]);
	for (size_t i = 0; i < COUNT_OF(signals); i++)
		ev_signal_stop(master->loop, &watchers[i]);
}
