/*
 * registryd/api_parts.h - the handlers of the admin API, and what they
 * have in common; for the api_*.c files.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_API_PARTS_H
#define REGISTRYD_API_PARTS_H

#include "common/json.h"
#include "ipc/role_msg.h"
#include "registryd/api.h"
#include "registryd/registry.h"

/* api_legacy.c */
api_handle_fn api_register, api_deregister, api_registry;
/* api_database.c */
api_handle_fn api_ready, api_health_db, api_metrics_db;
/* api_services.c */
api_handle_fn api_services_list, api_service_get, api_service_post,
    api_service_put, api_service_delete; /* put: PATCH, too */
/* api_backends.c */
api_handle_fn api_backends_list, api_backends_of_service, api_backend_get,
    api_backend_post, api_backend_put, api_backend_delete;
/* api_routes.c */
api_handle_fn api_routes_list, api_route_get, api_route_post, api_route_put,
    api_route_delete;
/* api_control.c: of services, backends, routes */
api_handle_fn api_control_get, api_control_put, api_control_delete;
/* api_breaker.c */
api_handle_fn api_breaker_get, api_breaker_post;
/* api_maintenance.c: of all services */
api_handle_fn api_maintenance_get, api_maintenance_put,
    api_maintenance_delete;
/* api_changes.c */
api_handle_fn api_changes, api_changes_range;
/* Whether all that a query asked for is still there, by the horizon that it
 * brought.  0, or -1 with *problem. */
MUST_CHECK int api_history_reaches(const struct store_history_query *,
    uint64_t horizon, struct problem *);
/* api_export.c, api_import.c */
api_handle_fn api_export, api_import;
/* api_rollback.c */
api_handle_fn api_rollback;
/* api_explain.c */
api_handle_fn api_explain;
/* api_events.c */
api_handle_fn api_events;
/* api_instances.c */
api_handle_fn api_instances;
/* api_sessions.c */
api_handle_fn api_sessions_list, api_tokens_list, api_token_post,
    api_token_delete;
/* api_state.c */
api_handle_fn api_livez, api_readyz, api_version, api_log_get, api_log_put;
/* api_store.c */
api_handle_fn api_store_accept;
/* api_spool.c */
api_handle_fn api_store_spool;
/* api_workers.c */
api_handle_fn api_workers;
/* api_reload.c */
api_handle_fn api_reload;
/* metrics.c */
api_handle_fn api_metrics;
/* openapi.c */
api_handle_fn api_openapi;

/* api_reload.c: master answered; we leave. */
void api_reload_done(struct registry *, const struct role_outcome *);
void api_reload_give_up(struct registry *);

/* api_wait.c: the parameters wait, scope and timeout of any write; sees to
 * it that its answer is held if they say so.  false: answered. */
bool api_wait_prepare(struct registry *, struct admin_request *);
/* We leave. */
void api_wait_give_up(struct registry *);

/* Writing (api_write.c) -------------------------------------------------- */

/* A write that a request asked for, from plan to answer. */
struct api_write {
	struct registry *registry;
	struct admin_request *request;
	unsigned int status;		/* of the answer, when it is good */
	bool is_merge;			/* PATCH */
	uint64_t id;			/* of the path; 0: none */
	char *name;			/* of the path, in the arena; NULL */
	void *more;			/* the handler's */
};

/*
 * Submits a write of channel "api"; takes dry_run and force from the
 * query and answers by itself when they are wrong.  done must give the
 * api_write back with api_write_finish().
 */
void api_write_submit(struct registry *, struct admin_request *,
    write_plan_fn *, write_done_fn *);

/* Sluice-Generation, and Sluice-Spooled of one that was kept. */
void api_add_generation(struct admin_request *, const struct write *);

/*
 * Answers a write: its problem, or status with text (JSON, freed; NULL:
 * 204), the fields of api_add_generation(), ETag of version if not 0.
 */
void api_write_finish(struct write *, struct api_write *, uint64_t version,
    char *text);

/* The done of a write that has nothing to show but its problem. */
write_done_fn api_write_done;

/* Whether two objects' texts are the same; frees both (NULL: out of memory,
 * and never the same). */
bool api_is_same_text(char *a, char *b);

/* Makes a write for the request with who and from filled in; NULL: out of
 * memory, and answered. */
struct write *api_write_new(struct admin_request *, write_plan_fn *,
    write_done_fn *, void *context, const char *channel);

/* Reading ---------------------------------------------------------------- */

/* Answers 503, or 409 where it is held, and returns false while there is no
 * model. */
bool api_has_model(struct registry *, struct admin_request *);

/* limit and cursor of a list.  false: answered. */
struct api_page {
	uint32_t limit;
	struct bytes cursor;		/* empty: from the start */
};
bool api_page(struct admin_request *, struct api_page *page_r);

/* The cursor of a list whose cursors are numbers; 0 from the start.
 * false: answered. */
bool api_cursor_number(struct admin_request *, const struct api_page *,
    unsigned long long *number_r);

/* Ends a list that began with api_list_begin(), and answers. */
struct api_list {
	struct buf buf;
	struct json_writer writer;
	uint32_t count;
};
void api_list_begin(struct api_list *);
/* next_cursor NULL: this was the last page. */
void api_list_reply(struct registry *, struct admin_request *,
    struct api_list *, const char *next_cursor);

/* An object with its ETag, or 304. */
void api_reply_object(struct registry *, struct admin_request *,
    uint64_t version, char *text);

#endif
