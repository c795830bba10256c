/*
 * ctl/ctl.h - what every verb of sluicectl is given and gives back.
 */
/* SPDX-License-Identifier: ISC */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/compat.h"
#include "shm/segment.h"

/* sluicectl(8), EXIT STATUS. */
enum ctl_exit {
	CTL_OK = 0,
	CTL_NO = 1,			/* the answer is no */
	CTL_USAGE = 2,
	CTL_UNREACHABLE = 3,
	CTL_TIMED_OUT = 4,
};

struct ctl {
	const char *socket;		/* as client_request.address */
	const char *conf_path;		/* NULL: the default */
	char segment_dir[SEGMENT_DIR_SIZE];
	bool wants_json;
	int64_t timeout_ms;
	bool is_timeout_given;
	bool waits_for_all;		/* writes: for every instance */
};

/* argv[0] is the verb itself. */
typedef enum ctl_exit ctl_verb_fn(const struct ctl *, int argc, char **argv);

/* ctl/api_verbs.c: ask registryd. */
ctl_verb_fn ctl_status, ctl_explain, ctl_reload, ctl_log, ctl_healthcheck;

/* ctl/control.c: steer traffic. */
ctl_verb_fn ctl_maintenance, ctl_drain, ctl_breaker;

/* ctl/lists.c: the same, page by page. */
ctl_verb_fn ctl_services, ctl_routes, ctl_sessions, ctl_token_list,
    ctl_instances, ctl_store_spool;

/* ctl/token.c, monitor.c */
ctl_verb_fn ctl_token, ctl_monitor;

/* ctl/history.c: what was changed, and back. */
ctl_verb_fn ctl_history, ctl_diff, ctl_rollback;

/* ctl/store.c */
ctl_verb_fn ctl_store;

/* ctl/offline.c: what needs no sluice, but a program that links SQL. */
ctl_verb_fn ctl_migrate, ctl_store_copy;

/* ctl/bulk.c: all at once. */
ctl_verb_fn ctl_export, ctl_import;

/* ctl/backends.c, workers.c, top.c: read the segment, whoever lives. */
ctl_verb_fn ctl_backends, ctl_workers, ctl_top;

/* Says that the segment cannot be read, by errno; CTL_UNREACHABLE. */
enum ctl_exit ctl_cannot_read(const struct ctl *);

/* A line on standard error; returns CTL_USAGE. */
enum ctl_exit ctl_usage(const char *text);

#endif
