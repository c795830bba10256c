/*
 * master/reload.c - taking a changed configuration over.
 */
/* SPDX-License-Identifier: ISC */
#include "master/reload.h"

#include <stdio.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/settings_fd.h"
#include "ipc/role_msg.h"
#include "master/certificates.h"
#include "master/error_log.h"
#include "master/master.h"
#include "master/notify.h"
#include "master/workers.h"

/* Logs each line, and takes it into the outcome. */
static void
tell_lines(enum log_level level, const struct buf *lines, struct buf *outcome)
{
	struct bytes rest = buf_bytes(lines), line;

	while (bytes_next_field(&rest, '\n', &line)) {
		if (line.len == 0)
			continue;
		log_write(level, "reload: %.*s", BYTES_ARGS(line));
		buf_append(outcome, line);
		buf_append_char(outcome, '\n');
	}
}

/* The new settings, without what cannot change; NULL: told why. */
static struct settings *
read_settings(const struct master *master, struct buf *outcome)
{
	const struct options *options = master->options;
	struct settings *settings;
	struct buf errors = { 0 };
	int result;

	result = settings_read(options->conf_path, options->overrides,
	    options->override_count, &settings, &errors);
	tell_lines(result == -1 ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, &errors,
	    outcome);
	buf_free(&errors);
	return settings;
}

/* What a reload needs before it may change anything. */
struct reload_means {
	struct settings *settings;
	struct listeners traffic;
	int settings_fd;
	int certificates_fd;		/* -1: there are none */
	uint32_t worker_count;
	bool is_change;			/* something will be another */
};

/* Puts back what only a restart can change, naming it.  0 or -1. */
static int
keep_fixed(const struct master *master, struct reload_means *means,
    struct buf *outcome)
{
	struct settings *new = means->settings;
	enum settings_change change;
	struct buf names = { 0 }, line = { 0 };
	int result = 0;

	change = settings_compare(master->settings, new, &names);
	if (change == SETTINGS_RESTART) {
		buf_printf(&line, "warning: %.*s: changes with a restart only",
		    (int)names.len, names.data);
		tell_lines(LOG_LEVEL_WARN, &line, outcome);
		result = settings_keep_fixed(master->settings, new);
		buf_clear(&names);
		change = settings_compare(master->settings, new, &names);
	}
	means->is_change = change != SETTINGS_SAME;
	if (means->is_change)
		buf_printf(outcome, "changed: %.*s\n", (int)names.len,
		    names.data);
	buf_free(&names);
	buf_free(&line);
	return result;
}

static void
close_certificates(struct reload_means *means)
{
	if (means->certificates_fd != -1)
		close(means->certificates_fd);
	means->certificates_fd = -1;
}

/* 0 or -1, told why. */
static int
read_certificates(const struct master *master, struct reload_means *means,
    struct buf *outcome)
{
	struct buf lines = { 0 };
	int result = certificates_read(means->settings,
	    master->options->conf_path, &lines, &means->certificates_fd);

	tell_lines(result == -1 ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, &lines,
	    outcome);
	buf_free(&lines);
	if (result == 0 && certificates_differ(master->certificates_fd,
		means->certificates_fd)) {
		means->is_change = true;
		buf_append_text(outcome, "changed: the files of "
					 "registration.tls_certificate\n");
	}
	return result;
}

static int
gather(const struct master *master, struct reload_means *means,
    struct buf *outcome)
{
	struct listen_fault fault = { 0 };
	struct buf line = { 0 };

	if (read_certificates(master, means, outcome) == -1)
		return -1;
	means->worker_count = master_worker_count(means->settings);
	if (listeners_open_traffic(means->settings, means->worker_count,
		workers_have_old(master), &master->traffic, &means->traffic,
		&fault) == -1) {
		buf_printf(&line, "%s: %.*s",
		    fault.where[0] == '\0' ? master->options->conf_path
					   : fault.where,
		    (int)fault.text.len, fault.text.data);
		tell_lines(LOG_LEVEL_ERROR, &line, outcome);
		buf_free(&fault.text);
		buf_free(&line);
		close_certificates(means);
		return -1;
	}
	if ((means->settings_fd = settings_fd_new(means->settings)) == -1) {
		buf_append_text(&line, "settings: memory ran out");
		tell_lines(LOG_LEVEL_ERROR, &line, outcome);
		listeners_close(&means->traffic);
		close_certificates(means);
		buf_free(&line);
		return -1;
	}
	return 0;
}

static void
apply_log(struct master *master, const struct settings *old)
{
	const struct settings *new = master->settings;

	if (strcmp(old->log.error, new->log.error) != 0 &&
	    error_log_open(master) == -1)
		log_error("log %s: %m: the old one is kept", new->log.error);
	if (old->log.level != new->log.level)
		log_set_level(new->log.level);
}

/* From here on nothing fails. */
static void
commit(struct master *master, struct reload_means *means)
{
	struct settings *old = master->settings;
	bool is_same_ports = listeners_match(&master->traffic, means->settings);

	if (means->worker_count != master->worker_count)
		listeners_steer(&master->traffic, means->worker_count);
	listeners_close(&master->traffic);
	close(master->settings_fd);
	if (master->certificates_fd != -1)
		close(master->certificates_fd);
	master->traffic = means->traffic;
	master->settings = means->settings;
	master->settings_fd = means->settings_fd;
	master->certificates_fd = means->certificates_fd;
	master->worker_count = means->worker_count;
	apply_log(master, old);
	if (old->max_connections != master->settings->max_connections)
		descriptors_raise(master->settings);
	settings_free(&old);

	for (uint32_t i = 0; i < MASTER_ROLES_MAX; i++)
		process_order(&master->processes[i], TO_ROLE_RELOAD, NULL, 0,
		    master->settings_fd);
	if (master->certificates_fd != -1)
		process_order(&master->processes[REGISTRYD_INDEX],
		    TO_ROLE_CERTIFICATES, NULL, 0, master->certificates_fd);
	if (!is_same_ports)
		workers_begin_set(master);
	else
		workers_fit(master);
	master->are_workers_retired = false;
	atomic_store_explicit(&master->status->worker_count,
	    master->worker_count, memory_order_relaxed);
}

static void
count_outcome(struct master *master, bool is_good)
{
	struct master_status *status = master->status;

	atomic_store_explicit(&status->is_reload_good, is_good,
	    memory_order_relaxed);
	if (is_good) {
		atomic_fetch_add_explicit(&status->reload_count, 1,
		    memory_order_relaxed);
		atomic_store_explicit(&status->reloaded_wall_ms,
		    clock_wall_ms(), memory_order_relaxed);
	} else
		atomic_fetch_add_explicit(&status->reload_failed_count, 1,
		    memory_order_relaxed);
}

/* Returns whether the new configuration holds now; outcome says more. */
static bool
reload_into(struct master *master, struct buf *outcome)
{
	struct reload_means means = { .settings_fd = -1,
		.certificates_fd = -1 };

	notify_reloading();
	means.settings = read_settings(master, outcome);
	if (means.settings != NULL &&
	    (keep_fixed(master, &means, outcome) == -1 ||
		gather(master, &means, outcome) == -1))
		settings_free(&means.settings);
	if (means.settings != NULL) {
		if (!means.is_change)
			buf_append_text(outcome, "nothing changed\n");
		commit(master, &means);
		log_notice("reload: done");
	} else
		log_error("reload: failed: the old settings stay");
	count_outcome(master, means.settings != NULL);
	notify_ready();
	return means.settings != NULL;
}

static void
answer_request(struct master *master, uint64_t request_id, bool is_good,
    const struct buf *outcome)
{
	struct role_outcome answer = { .id = request_id, .is_good = is_good };

	snprintf(answer.text, sizeof(answer.text), "%.*s", (int)outcome->len,
	    outcome->len == 0 ? "" : outcome->data);
	process_order(&master->processes[REGISTRYD_INDEX], TO_ROLE_RELOADED,
	    &answer, sizeof(answer), -1);
}

void
reload(struct master *master)
{
	struct buf outcome = { 0 };
	bool is_good = reload_into(master, &outcome);

	for (uint32_t i = 0; i < master->reload_request_count; i++)
		answer_request(master, master->reload_requests[i], is_good,
		    &outcome);
	master->reload_request_count = 0;
	master->is_reload_due = false;
	buf_free(&outcome);
}

void
reload_asked(struct master *master, uint64_t request_id)
{
	struct buf refusal = { 0 };

	if (master->phase <= MASTER_RUNNING &&
	    master->reload_request_count < MASTER_RELOADS_MAX) {
		master->reload_requests[master->reload_request_count++] =
		    request_id;
		master->is_reload_due = true;
		if (master->phase == MASTER_RUNNING)
			reload(master);
		return;
	}
	buf_append_text(&refusal, "sluice is stopping, or busy starting");
	answer_request(master, request_id, false, &refusal);
	buf_free(&refusal);
}
