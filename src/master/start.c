/*
 * master/start.c - all that master opens before its first role starts.
 *
 * What fails here is fatal: the operator waits for the answer.  Until
 * the end of it the log is stderr, which is the operator's terminal.
 */
/* SPDX-License-Identifier: ISC */
#include "master/start.h"

#include <sys/eventfd.h>
#include <sys/stat.h>

#include <errno.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/settings_fd.h"
#include "master/background.h"
#include "master/capacity.h"
#include "master/certificates.h"
#include "master/error_log.h"
#include "master/orphans.h"
#include "master/supervise.h"

/* How long, and how often, ports of a former master are waited for. */
#define START_PORTS_MS	     2000
#define START_PORTS_PAUSE_MS 20

int
start_read_settings(const struct options *options, struct settings **settings_r)
{
	struct buf errors = { 0 };
	int result;

	result = settings_read(options->conf_path, options->overrides,
	    options->override_count, settings_r, &errors);
	if (errors.len > 0)
		fprintf(stderr, "%.*s", (int)errors.len, errors.data);
	buf_free(&errors);
	return result == -1 ? EX_CONFIG : 0;
}

uint32_t
master_worker_count(const struct settings *settings)
{
	uint32_t count = settings->workers;
	cpu_set_t set;

	if (count == 0 && sched_getaffinity(0, sizeof(set), &set) == 0)
		count = (uint32_t)CPU_COUNT(&set);
	if (count == 0)
		count = 1;
	/* a reload has two sets for a while */
	return count <= SEGMENT_WORKERS_MAX / 2 ? count
						: SEGMENT_WORKERS_MAX / 2;
}

static void
find_identity(struct master *master)
{
	struct buf why = { 0 };
	int status = identity_find(master->settings, &master->identity, &why);

	if (status != 0)
		fatal(status, "%s: %.*s", master->options->conf_path,
		    (int)why.len, why.data);
	if (why.len > 0)
		log_warn("%.*s", (int)why.len, why.data);
	buf_free(&why);
}

/* Makes a directory that is missing; its parent must stand. */
static void
ensure_directory(const char *what, const char *path, mode_t mode, uid_t uid,
    gid_t gid)
{
	struct stat st;

	if (mkdir(path, mode) == 0) {
		if (chmod(path, mode) == -1 || chown(path, uid, gid) == -1)
			fatal(EX_CANTCREAT, "%s %s: %m", what, path);
		return;
	}
	if (errno != EEXIST)
		fatal(errno == EACCES ? EX_NOPERM : EX_CANTCREAT, "%s %s: %m",
		    what, path);
	if (stat(path, &st) == -1 || !S_ISDIR(st.st_mode))
		fatal(EX_CANTCREAT, "%s %s: not a directory", what, path);
}

static void
make_directories(const struct master *master)
{
	const struct settings *settings = master->settings;
	const struct identity *identity = &master->identity;
	bool is_switched = identity->is_switched;

	ensure_directory("runtime_dir", settings->runtime_dir, 0755,
	    (uid_t)-1, is_switched ? identity->gid : (gid_t)-1);
	ensure_directory("state_dir", settings->state_dir, 0750,
	    is_switched ? identity->uid : (uid_t)-1,
	    is_switched ? identity->gid : (gid_t)-1);
}

static void
lock_pid_file(struct master *master)
{
	pid_t owner = 0;

	pidfile_path(master->settings, master->pid_path);
	master->pid_fd = pidfile_lock(master->pid_path, &owner);
	if (master->pid_fd != -1)
		return;
	if (errno == EWOULDBLOCK)
		fatal(EX_UNAVAILABLE, "%s: sluice runs already, as pid %d; "
				      "stop it, or set another runtime_dir "
				      "and instance",
		    master->pid_path, (int)owner);
	fatal(errno == EACCES ? EX_NOPERM : EX_CANTCREAT, "%s: %m",
	    master->pid_path);
}

static void
log_listeners(const char *what, const struct listeners *listeners,
    uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		char address[LISTENER_TEXT_SIZE];

		listener_print(&listeners->list[i], address);
		log_notice("%s %s", what, address);
	}
}

static void
open_certificates(struct master *master)
{
	struct buf lines = { 0 };
	int result = certificates_read(master->settings,
	    master->options->conf_path, &lines, &master->certificates_fd);

	if (lines.len > 0)
		fprintf(stderr, "%.*s", (int)lines.len, lines.data);
	buf_free(&lines);
	if (result == -1)
		fatal(EX_CONFIG, "a listener with TLS cannot be opened");
}

static void
find_segment(struct master *master)
{
	if (segment_dir(master->settings->instance, master->segment_dir) == -1)
		fatal(EX_CONFIG, "instance \"%s\": no name for a segment",
		    master->settings->instance);
	for (uint32_t i = 0; i < MASTER_ROLES_MAX; i++)
		process_init(&master->processes[i], master, i);
	master->has_orphans = orphans_take_over(master);
}

static int
try_listeners(struct master *master, struct listen_fault *fault)
{
	if (listeners_open_traffic(master->settings, master->worker_count,
		master->has_orphans, NULL, &master->traffic, fault) == -1)
		return -1;
	if (listeners_open_admin(master->settings,
		capacity_group(&master->identity), &master->admin, fault) == 0)
		return 0;
	listeners_unlink(&master->traffic);
	listeners_close(&master->traffic);
	return -1;
}

/* A former master that was killed may still be closing what it held. */
static void
open_listeners(struct master *master)
{
	struct instant deadline = instant_after_ms(clock_now(), START_PORTS_MS);
	bool had_former = access(master->segment_dir, F_OK) == 0;
	struct listen_fault fault = { 0 };

	master->worker_count = master_worker_count(master->settings);
	while (try_listeners(master, &fault) == -1) {
		if (!had_former || fault.status != EX_UNAVAILABLE ||
		    instant_is_before(deadline, clock_now()))
			fatal(fault.status, "%s: %.*s",
			    fault.where[0] == '\0' ? master->options->conf_path
						   : fault.where,
			    (int)fault.text.len, fault.text.data);
		buf_clear(&fault.text);
		poll(NULL, 0, START_PORTS_PAUSE_MS);
	}
	buf_free(&fault.text);
}

static void
open_status(struct master *master)
{
	int fd = segment_open_writable(master->segment_dir, SEGMENT_MASTER, 0);

	if (fd == -1 || master_status_open_writable(fd, &master->status) == -1)
		fatal(EX_OSERR, "segment %s: master: %m", master->segment_dir);
}

/* The figures of a former master are none of ours. */
static void
reset_status(struct master *master)
{
	struct master_status *status = master->status;

	for (uint32_t i = 0; i < MASTER_ROLES_MAX; i++) {
		struct role_status *row = &status->roles[i];

		atomic_store(&row->state, ROLE_EMPTY);
		atomic_store(&row->pid, 0);
		atomic_store(&row->restarts, 0);
		atomic_store(&row->last_exit, 0);
	}
	atomic_store(&status->pid, (uint32_t)getpid());
	atomic_store(&status->worker_count, master->worker_count);
	atomic_store(&status->started_wall_ms, clock_wall_ms());
	atomic_store(&status->reloaded_wall_ms, 0);
	atomic_store(&status->reload_count, 0);
	atomic_store(&status->reload_failed_count, 0);
	atomic_store(&status->is_stopping, 0);
	atomic_store(&status->is_reload_good, 1);
}

static void
open_segment(struct master *master)
{
	const struct segment_capacity capacity =
	    capacity_of(master->settings);

	if (segment_create(master->segment_dir, &capacity, (uid_t)-1,
		capacity_group(&master->identity), &master->is_adopted) == -1)
		fatal(errno == EACCES ? EX_NOPERM : EX_CANTCREAT,
		    "segment %s: %m", master->segment_dir);
	open_status(master);
	reset_status(master);
}

static void
open_handovers(struct master *master)
{
	master->settings_fd = settings_fd_new(master->settings);
	master->failures_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (master->settings_fd == -1 || master->failures_fd == -1)
		fatal(EX_OSERR, "settings for roles: %m");
	master->loop = ev_default_loop(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (master->loop == NULL)
		fatal(EX_OSERR, "epoll: %m");
}

static void
open_log(struct master *master)
{
	uint32_t admin_count = master->settings->admin.listen.count;
	uint32_t plain_count = admin_count +
	    master->settings->registration.listen.count;

	log_set_level(master->settings->log.level);
	if (error_log_open(master) == -1)
		fatal(errno == EACCES ? EX_NOPERM : EX_CANTCREAT, "log %s: %m",
		    master->settings->log.error);
	log_notice("sluice %s: starting as pid %d", PACKAGE_VERSION,
	    (int)getpid());
	if (master->is_adopted)
		log_notice("segment %s: adopted", master->segment_dir);
	log_listeners("traffic on", &master->traffic, 0,
	    master->traffic.count);
	log_listeners("admin on", &master->admin, 0, admin_count);
	log_listeners("registration on", &master->admin, admin_count,
	    plain_count);
	log_listeners("registration with TLS on", &master->admin, plain_count,
	    master->admin.count);
}

static void
close_all(struct master *master)
{
	const struct master_status *status = master->status;

	listeners_unlink(&master->admin);
	listeners_close(&master->admin);
	master_status_close(&status);
	/* a start that failed leaves what it found to the next one */
	if (master->exit_status == 0 || !master->is_adopted)
		segment_remove(master->segment_dir);
	close(master->settings_fd);
	if (master->certificates_fd != -1)
		close(master->certificates_fd);
	close(master->failures_fd);
	pidfile_remove(master->pid_path, master->pid_fd);
	settings_free(&master->settings);
	ev_loop_destroy(master->loop);
}

int
start_run(const struct options *options, struct settings *settings)
{
	static struct master master;	/* large */

	/* what the shell left open is nothing for a role */
	(void)close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	master.options = options;
	master.settings = settings;
	master.report_fd = -1;
	umask(027);
	find_identity(&master);
	if (!options->is_foreground)
		background_enter(&master);
	descriptors_raise(settings);
	open_certificates(&master);
	make_directories(&master);
	lock_pid_file(&master);
	find_segment(&master);
	open_listeners(&master);
	open_segment(&master);
	open_handovers(&master);
	open_log(&master);
	if (!options->is_foreground)
		background_leave_terminal(&master);

	supervise_run(&master);

	log_notice("stopped");
	close_all(&master);
	/* whoever waits still has waited in vain */
	background_report(&master,
	    master.exit_status == 0 ? EX_UNAVAILABLE : master.exit_status);
	return master.exit_status;
}
