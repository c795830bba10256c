/*
 * daemon/daemon.c - what every role does before and after its own work.
 *
 * Run by each role; reads what master laid out (ipc/inherited.h).  While
 * starting, what is missing is fatal; afterwards nothing that master says
 * is: a message that breaks the protocol closes the channel, and a role
 * without a master drains.
 */
/* SPDX-License-Identifier: ISC */
#include "daemon/daemon.h"

#include <sys/prctl.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "daemon/settings_fd.h"
#include "ipc/inherited.h"

/* A role that forgets its deadline is ended this long after it. */
#define DAEMON_BACKSTOP_MS 500

/* What runs beside the role's own work; alive as long as daemon_run(). */
struct daemon_run {
	struct daemon daemon;		/* what the role sees */
	const struct daemon_role *role;
	struct settings *settings;
	ev_signal terminated;
	ev_timer backstop;
	bool is_ready;
	int status;
};

static struct daemon_run *
run_of(struct daemon *daemon)
{
	return CONTAINER_OF(daemon, struct daemon_run, daemon);
}

/* Drain ---------------------------------------------------------------- */

static void
on_backstop(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct daemon_run *run = timer->data;

	(void)loop;
	(void)events;
	log_warn("drain: not finished at its deadline: leaving what is left");
	daemon_done(&run->daemon);
}

static void
drain(struct daemon_run *run, struct instant deadline)
{
	struct daemon *daemon = &run->daemon;

	if (!daemon->is_draining)
		log_info("drain: begins");
	daemon->is_draining = true;
	ev_timer_stop(daemon->loop, &run->backstop);
	if (deadline.ns != 0) {
		int64_t left_ms = instant_diff_ms(deadline, clock_now());

		left_ms = left_ms < 0 ? 0 : left_ms;
		ev_now_update(daemon->loop);
		ev_timer_set(&run->backstop,
		    (double)(left_ms + DAEMON_BACKSTOP_MS) / 1000.0, 0.0);
		ev_timer_start(daemon->loop, &run->backstop);
	}
	run->role->drain(daemon, deadline);
}

static void
drain_within_timeout(struct daemon_run *run)
{
	drain(run,
	    instant_after_ms(clock_now(), run->settings->shutdown_timeout_ms));
}

static void
on_terminated(struct ev_loop *loop, ev_signal *watcher, int events)
{
	(void)loop;
	(void)events;
	drain_within_timeout(watcher->data);
}

static void
on_master_gone(void *context)
{
	struct daemon_run *run = context;

	if (run->daemon.is_draining)
		return;
	log_warn("master is gone: finishing what there is");
	run->daemon.is_stopping = true;
	drain_within_timeout(run);
}

/* What master says ----------------------------------------------------- */

typedef int order_fn(struct daemon_run *, const struct channel_message *);

static void
log_lines(const struct buf *errors)
{
	struct bytes rest = buf_bytes(errors), line;

	while (bytes_next_field(&rest, '\n', &line))
		if (line.len > 0)
			log_error("%.*s", BYTES_ARGS(line));
}

static void
apply_log(struct daemon_run *run, const struct settings *old)
{
	const struct settings *new = run->settings;

	if (strcmp(old->log.error, new->log.error) != 0 &&
	    log_open(run->role->name, new->log.error) == -1)
		log_error("log %s: %m: the old one is kept", new->log.error);
	if (old->log.level != new->log.level)
		log_set_level(new->log.level);
}

static int
on_reload(struct daemon_run *run, const struct channel_message *message)
{
	struct settings *old = run->settings, *new;
	struct buf errors = { 0 };

	if (settings_fd_read(message->fds[0], &new, &errors) == -1) {
		log_lines(&errors);
		log_error("reload: the old settings are kept");
		buf_free(&errors);
		return 0;
	}
	buf_free(&errors);
	run->settings = new;
	run->daemon.settings = new;
	apply_log(run, old);
	run->role->reload(&run->daemon, old);
	settings_free(&old);
	return 0;
}

static int
on_drain(struct daemon_run *run, const struct channel_message *message)
{
	struct role_drain order;

	memcpy(&order, message->body, sizeof(order));
	run->daemon.is_stopping |= order.is_stop != 0;
	drain(run, (struct instant){ order.deadline_ns });
	return 0;
}

static int
on_reopen(struct daemon_run *run, const struct channel_message *message)
{
	(void)message;
	if (log_reopen() == -1)
		log_error("log %s: reopen: %m", run->settings->log.error);
	if (run->role->reopen != NULL)
		run->role->reopen(&run->daemon);
	return 0;
}

static int
on_log_level(struct daemon_run *run, const struct channel_message *message)
{
	struct role_log_level order;

	(void)run;
	memcpy(&order, message->body, sizeof(order));
	if (order.level >= LOG_LEVEL_COUNT) {
		errno = EPROTO;
		return -1;
	}
	log_set_level((enum log_level)order.level);
	return 0;
}

static int
on_role_message(struct daemon_run *run, const struct channel_message *message)
{
	if (run->role->message == NULL) {
		errno = EPROTO;
		return -1;
	}
	return run->role->message(&run->daemon, message);
}

static const struct {
	size_t body_len;		/* exact; anything else is a
					 * violation */
	uint32_t fd_count;		/* exact, too */
	order_fn *handle;
} orders[TO_ROLE_COUNT] = {
	[TO_ROLE_RELOAD] = { 0, 1, on_reload },
	[TO_ROLE_DRAIN] = { sizeof(struct role_drain), 0, on_drain },
	[TO_ROLE_REOPEN] = { 0, 0, on_reopen },
	[TO_ROLE_LOG_LEVEL] = { sizeof(struct role_log_level), 0,
	    on_log_level },
	[TO_ROLE_PEER] = { 0, 1, on_role_message },
	[TO_ROLE_RELOADED] = { sizeof(struct role_outcome), 0,
	    on_role_message },
	[TO_ROLE_CERTIFICATES] = { 0, 1, on_role_message },
};

static int
on_message(void *context, const struct channel_message *message)
{
	if (message->type >= TO_ROLE_COUNT ||
	    message->body_len != orders[message->type].body_len ||
	    message->fd_count != orders[message->type].fd_count) {
		errno = EPROTO;
		return -1;
	}
	return orders[message->type].handle(context, message);
}

/* Start and end -------------------------------------------------------- */

/* A program that is exec'd by descriptor is named after its number. */
static void
set_process_name(const char *role)
{
	char name[16];

	snprintf(name, sizeof(name), "sluice-%s", role);
	prctl(PR_SET_NAME, name, 0, 0, 0);
}

static uint32_t
parse_region(const char *name, int argc, char **argv)
{
	unsigned long long region = 0;
	int option;

	while ((option = getopt(argc, argv, "r:")) != -1)
		if (option != 'r' ||
		    bytes_to_number(bytes_of(optarg), SEGMENT_WORKERS_MAX - 1,
			&region) == -1)
			fatal(EX_USAGE, "%s: started by sluice(8), not by hand",
			    name);
	if (optind != argc || fcntl(FD_MASTER, F_GETFD) == -1 ||
	    fcntl(FD_SETTINGS, F_GETFD) == -1)
		fatal(EX_USAGE, "%s: started by sluice(8), not by hand", name);
	return (uint32_t)region;
}

static void
take_settings(struct daemon_run *run)
{
	struct buf errors = { 0 };

	if (settings_fd_read(FD_SETTINGS, &run->settings, &errors) == -1) {
		log_lines(&errors);
		fatal(EX_CONFIG, "settings from master: cannot be read");
	}
	buf_free(&errors);
	close(FD_SETTINGS);
	run->daemon.settings = run->settings;
}

static void
start_log(const struct daemon_run *run)
{
	const char *target = run->settings->log.error;

	if (log_open(run->role->name, target) == -1)
		fatal(EX_CANTCREAT, "log %s: %m", target);
	log_set_level(run->settings->log.level);
}

/* SIGTERM drains; what a terminal or an operator sends to the whole group
 * is for master. */
static void
set_signals(struct daemon_run *run)
{
	static const int ignored[] = { SIGINT, SIGHUP, SIGUSR1, SIGUSR2,
		SIGPIPE, SIGQUIT };

	for (size_t i = 0; i < COUNT_OF(ignored); i++)
		signal(ignored[i], SIG_IGN);
	ev_signal_init(&run->terminated, on_terminated, SIGTERM);
	run->terminated.data = run;
	ev_signal_start(run->daemon.loop, &run->terminated);
	ev_unref(run->daemon.loop);
}

static void
make_loop(struct daemon_run *run)
{
	const struct channel_handlers handlers = {
		.message = on_message,
		.closed = on_master_gone,
		.context = run,
	};
	struct daemon *daemon = &run->daemon;

	daemon->loop = ev_loop_new(EVFLAG_NOENV |
	    (run->role->loop_backend != 0 ? run->role->loop_backend :
	    EVBACKEND_EPOLL));
	if (daemon->loop == NULL)
		fatal(EX_OSERR, "loop: %m");
	set_signals(run);
	ev_timer_init(&run->backstop, on_backstop, 0.0, 0.0);
	run->backstop.data = run;
	daemon->master = channel_new(daemon->loop, FD_MASTER, ROLE_MSG_VERSION,
	    &handlers);
	if (daemon->master == NULL)
		fatal(EX_OSERR, "channel with master: %m");
}

static void
tear_down(struct daemon_run *run)
{
	struct daemon *daemon = &run->daemon;

	ev_ref(daemon->loop);
	ev_signal_stop(daemon->loop, &run->terminated);
	ev_timer_stop(daemon->loop, &run->backstop);
	channel_free(&daemon->master);
	ev_loop_destroy(daemon->loop);
	settings_free(&run->settings);
}

int
daemon_run(const struct daemon_role *role, int argc, char **argv)
{
	struct daemon_run run = { .role = role };
	struct daemon *daemon = &run.daemon;

	if (log_open(role->name, "stderr") == -1)
		fatal(EX_OSERR, "log: %m");
	set_process_name(role->name);
	daemon->region = parse_region(role->name, argc, argv);
	take_settings(&run);
	start_log(&run);
	if (segment_dir(run.settings->instance, daemon->segment_dir) == -1)
		fatal(EX_CONFIG, "instance \"%s\": no name for a segment",
		    run.settings->instance);
	make_loop(&run);

	run.status = role->start(daemon);
	if (run.status == 0) {
		if (!role->is_ready_later)
			daemon_ready(daemon);
		ev_run(daemon->loop, 0);
	}
	tear_down(&run);
	return run.status;
}

void
daemon_ready(struct daemon *daemon)
{
	struct daemon_run *run = run_of(daemon);

	if (run->is_ready)
		return;
	run->is_ready = true;
	/* a failure means that master is gone: the loop says so */
	if (channel_send(daemon->master, FROM_ROLE_READY, NULL, 0, NULL, 0) ==
	    -1)
		log_warn("master: %m");
}

void
daemon_done(struct daemon *daemon)
{
	ev_break(run_of(daemon)->daemon.loop, EVBREAK_ALL);
}
