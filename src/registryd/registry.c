/*
 * registryd/registry.c - start, reload, drain, and what others say.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/registry.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/random.h"
#include "ipc/health_msg.h"
#include "ipc/inherited.h"
#include "registryd/api.h"
#include "registryd/api_parts.h"
#include "registryd/control.h"
#include "registryd/protocol/protocol.h"
#include "registryd/registry_news.h"
#include "registryd/static_objects.h"
#include "registryd/static_orders.h"

bool
registry_has_table(const struct registry *registry)
{
	return registry->model != NULL ||
	    route_table_published_ns(registry->table) != 0;
}

bool
registry_is_stopping(const struct registry *registry)
{
	return registry->is_leaving ||
	    atomic_load_explicit(&registry->master->is_stopping,
		memory_order_relaxed) != 0;
}

/* healthd ---------------------------------------------------------------- */

static int
on_healthd_message(void *context, const struct channel_message *message)
{
	struct registry *registry = context;
	struct health_changed changed;
	struct health_obeyed obeyed;

	if (message->type == FROM_HEALTHD_OBEYED &&
	    message->body_len == sizeof(obeyed)) {
		memcpy(&obeyed, message->body, sizeof(obeyed));
		breaker_order_obeyed(registry, &obeyed);
		return 0;
	}
	if (message->type != FROM_HEALTHD_CHANGED ||
	    message->body_len != sizeof(changed)) {
		errno = EPROTO;
		return -1;
	}
	memcpy(&changed, message->body, sizeof(changed));
	log_debug("backend %llu: health %#x -> %#x: %.*s",
	    (unsigned long long)changed.backend_id, changed.flags_before,
	    changed.flags_after, (int)sizeof(changed.reason), changed.reason);
	registry_tell_health(registry, &changed);
	breaker_changed(registry, &changed);
	return 0;
}

static void
on_healthd_closed(void *context)
{
	struct registry *registry = context;

	log_info("healthd is gone: its last words stand");
	channel_free(&registry->healthd);
	breaker_orders_end(registry);
}

static void
take_healthd(struct registry *registry, int fd)
{
	const struct channel_handlers handlers = {
		.message = on_healthd_message,
		.closed = on_healthd_closed,
		.context = registry,
	};

	if (registry->healthd != NULL)
		channel_free(&registry->healthd);
	registry->healthd = channel_new(registry->loop, fd,
	    HEALTH_MSG_VERSION, &handlers);
	if (registry->healthd == NULL)
		log_error("healthd: channel: %m: it finds out by itself");
}

static int
registry_message(struct daemon *daemon, const struct channel_message *message)
{
	struct registry *registry = daemon->state;
	struct role_outcome outcome;

	switch (message->type) {
	case TO_ROLE_PEER:
		if (message->fd_count != 1)
			break;
		take_healthd(registry, message->fds[0]);
		message->fds[0] = -1;
		return 0;
	case TO_ROLE_CERTIFICATES:
		if (protocol_take_certificates(registry->protocol,
			message->fds[0]) == -1)
			log_error("registration: the old certificate stays");
		return 0;
	case TO_ROLE_RELOADED:
		if (message->body_len != sizeof(outcome))
			break;
		memcpy(&outcome, message->body, sizeof(outcome));
		outcome.text[sizeof(outcome.text) - 1] = '\0';
		api_reload_done(registry, &outcome);
		return 0;
	default:
		break;
	}
	errno = EPROTO;
	return -1;
}

/* Start ------------------------------------------------------------------ */

static int
attach_segment(struct registry *registry)
{
	const char *dir = registry->daemon->segment_dir;

	if (publisher_new(FD_REGION, &registry->publisher) == -1) {
		log_error("%s: routes: %m", dir);
		return -1;
	}
	if (route_table_open(dir, &registry->table) == -1) {
		log_error("%s: routes: %m", dir);
		return -1;
	}
	if (health_open(dir, &registry->health) == -1) {
		log_error("%s: health: %m", dir);
		return -1;
	}
	if (limits_open(dir, &registry->limits) == -1) {
		log_warn("%s: limits: %m: they are not explained", dir);
		registry->limits = NULL;
	}
	if (master_status_open(dir, &registry->master) == -1) {
		log_error("%s: master: %m", dir);
		return -1;
	}
	return 0;
}

static int
make_router(struct registry *registry)
{
	struct router_config config = {
		.table = registry->table,
		.health = registry->health,
		.suspect_ms = registry->daemon->settings->http.suspect_ms,
	};

	random_fill(&config.seed, sizeof(config.seed));
	return router_new(&config, &registry->router);
}

static int
start_server(struct registry *registry)
{
	const struct settings *settings = registry->daemon->settings;

	if (admin_server_new(registry->loop, api_handle, registry,
		&registry->server) == -1)
		return -1;
	admin_server_set_body_limit(registry->server,
	    settings->admin.body_limit_bytes);
	for (uint32_t i = 0; i < settings->admin.listen.count; i++) {
		if (admin_server_listen(registry->server,
			FD_LISTEN_FIRST + (int)i) == 0)
			continue;
		log_error("admin %s: %m", settings->admin.listen.list[i]);
		return -1;
	}
	return 0;
}

static int
listen_all(struct registry *registry, const struct address_list *listen,
    int first_fd, bool is_tls)
{
	for (uint32_t i = 0; i < listen->count; i++) {
		if (protocol_listen(registry->protocol, first_fd + (int)i,
			is_tls) == 0)
			continue;
		log_error("registration %s: %m", listen->list[i]);
		return -1;
	}
	return 0;
}

/* Its listeners stand behind those of the admin API. */
static int
start_protocol(struct registry *registry)
{
	const struct settings *settings = registry->daemon->settings;
	const struct address_list *plain = &settings->registration.listen;
	const struct address_list *tls = &settings->registration.tls.listen;
	int first = FD_LISTEN_FIRST + (int)settings->admin.listen.count;

	if (protocol_new(registry, &registry->protocol) == -1 ||
	    listen_all(registry, plain, first, false) == -1 ||
	    listen_all(registry, tls, first + (int)plain->count, true) == -1)
		return -1;
	if (tls->count == 0)
		return 0;
	if (protocol_take_certificates(registry->protocol,
		FD_CERTIFICATES) == -1)
		return -1;
	close(FD_CERTIFICATES);
	return 0;
}

static void
on_applied(void *context, const struct write *write)
{
	struct registry *registry = context;

	for (uint32_t i = 0; i < write->change_count; i++)
		if (write->skips == NULL || !write->skips[i])
			replica_put(registry->replica, &write->changes[i]);
	replica_put_notes(registry->replica, &write->notes);
	static_orders_applied(registry, write);
}

static int
on_commit(void *context, const struct store_commit *commit)
{
	return spool_commit(context, commit);
}

static int
start_writes(struct registry *registry)
{
	const struct write_backing backing = {
		.sluice = static_order_sluice(registry),
		.commit = on_commit,
		.model = registry_model,
		.no_model = registry_no_model,
		.check_room = registry_check_room,
		.publish = registry_publish,
		.applied = on_applied,
		.is_stale = registry_is_stale,
		.skipped = follow_skipped,
		.context = registry,
	};

	registry->writes = write_queue_new(registry->loop, &backing);
	return registry->writes == NULL ? -1 : 0;
}

static void
registry_free(struct registry **p)
{
	struct registry *registry = *p;

	*p = NULL;
	if (registry == NULL)
		return;
	if (registry->server != NULL) {
		api_reload_give_up(registry);
		api_wait_give_up(registry);
	}
	protocol_free(&registry->protocol);
	admin_server_free(&registry->server);
	ev_timer_stop(registry->loop, &registry->load_again);
	ev_timer_stop(registry->loop, &registry->publish_again);
	breaker_orders_end(registry);
	control_stop(registry);
	follow_stop(registry);
	bring_up_stop(registry);
	replica_free(&registry->replica);
	spool_free(&registry->spool);
	instances_stop(registry);
	retention_stop(registry);
	audit_stop(registry);
	write_queue_free(&registry->writes);
	store_free(&registry->store);
	model_free(&registry->model);
	model_free(&registry->loading);
	if (registry->router != NULL)
		router_free(&registry->router);
	if (registry->healthd != NULL)
		channel_free(&registry->healthd);
	publisher_free(&registry->publisher);
	if (registry->table != NULL)
		route_table_close(&registry->table);
	if (registry->health != NULL)
		health_close(&registry->health);
	limits_close(&registry->limits);
	if (registry->master != NULL)
		master_status_close(&registry->master);
	free(registry);
}

static int
registry_start(struct daemon *daemon)
{
	struct registry *registry = calloc(1, sizeof(*registry));
	const char *error = NULL;

	if (registry == NULL)
		return EX_OSERR;
	daemon->state = registry;
	registry->daemon = daemon;
	registry->loop = daemon->loop;
	registry->started_wall_ms = clock_wall_ms();
	LIST_INIT(&registry->reloads);
	LIST_INIT(&registry->breaker_orders.pending);
	LIST_INIT(&registry->waits);
	news_bus_init(&registry->news);
	if (attach_segment(registry) == -1)
		return EX_OSERR;
	registry->has_found_table =
	    route_table_published_ns(registry->table) != 0;
	if (store_new(daemon->loop, daemon->settings, &registry->store,
		&error) == -1) {
		log_error("store: %s", error);
		return EX_UNAVAILABLE;
	}
	registry->replica = replica_new(registry);
	registry->spool = spool_new(registry);
	take_healthd(registry, FD_PEER);
	if (control_start(registry) == -1 || make_router(registry) == -1 ||
	    start_writes(registry) == -1 ||
	    start_server(registry) == -1 || start_protocol(registry) == -1) {
		log_error("start: %m");
		return EX_OSERR;
	}
	follow_start(registry);
	instances_start(registry);
	retention_start(registry);
	audit_start(registry);
	return registry_load_start(registry) == -1 ? EX_OSERR : 0;
}

/* Reload ----------------------------------------------------------------- */

static bool
is_health_equal(const struct settings *a, const struct settings *b)
{
	return a->health.interval_ms == b->health.interval_ms &&
	    a->health.timeout_ms == b->health.timeout_ms &&
	    a->health.rise == b->health.rise &&
	    a->health.fall == b->health.fall;
}

static void
registry_reload(struct daemon *daemon, const struct settings *old)
{
	struct registry *registry = daemon->state;
	struct model_service *service;

	admin_server_set_body_limit(registry->server,
	    daemon->settings->admin.body_limit_bytes);
	follow_reload(registry);
	protocol_take_static_tokens(registry->protocol);
	instances_reload(registry);
	retention_reload(registry);
	if (registry->model == NULL)
		return;
	if (!is_health_equal(old, daemon->settings))
		for (service = model_next_service(registry->model, NULL);
		    service != NULL;
		    service = model_next_service(registry->model,
			service->object.name))
			model_touch_service(registry->model, service);
	registry_load_static(registry);
	registry_tell_config(registry);
}

/* Drain ------------------------------------------------------------------ */

static void
on_row_gone(void *context)
{
	struct registry *registry = context;

	ev_timer_start(registry->loop, &registry->leave);
}

static void
leave_if_done(void *context)
{
	struct registry *registry = context;

	if (!registry->is_leaving || registry->instances.gone != NULL ||
	    !write_queue_is_idle(registry->writes) ||
	    !protocol_is_idle(registry->protocol) ||
	    !replica_is_idle(registry->replica) ||
	    !admin_server_is_idle(registry->server))
		return;
	instances_leave(registry, on_row_gone, registry);
}

static void
on_leave(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct registry *registry = timer->data;
	struct daemon *daemon = registry->daemon;

	(void)loop;
	(void)events;
	registry_free(&registry);
	daemon->state = NULL;
	daemon_done(daemon);
}

static void
registry_drain(struct daemon *daemon, struct instant deadline)
{
	struct registry *registry = daemon->state;

	(void)deadline;			/* daemon.c ends us when it is past */
	if (registry == NULL)
		return;			/* done already */
	registry->is_leaving = true;
	ev_timer_init(&registry->leave, on_leave, 0.0, 0.0);
	registry->leave.data = registry;
	write_queue_on_idle(registry->writes, leave_if_done, registry);
	protocol_drain(registry->protocol, leave_if_done, registry);
	admin_server_on_idle(registry->server, leave_if_done, registry);
	replica_on_idle(registry->replica, leave_if_done, registry);
	api_reload_give_up(registry);
	api_wait_give_up(registry);
	admin_server_drain(registry->server);
}

const struct daemon_role *
registry_role(void)
{
	static const struct daemon_role role = {
		.name = "registryd",
		.start = registry_start,
		.is_ready_later = true,	/* when the table is published */
		.reload = registry_reload,
		.drain = registry_drain,
		.message = registry_message,
	};

	return &role;
}
