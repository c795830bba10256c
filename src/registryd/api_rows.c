/*
 * registryd/api_rows.c - the endpoints of the admin API.
 *
 * In the order of sluice-api(7).
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/api_parts.h"

#define READ(path_, handle_, query_, answer_, summary_)                        \
	{ .method = "GET", .path = path_, .handle = handle_, .query = query_,  \
	    .answer = answer_, .status = 200, .summary = summary_ }
#define WRITE(method_, path_, handle_, body_, answer_, status_, summary_)      \
	{ .method = method_, .path = path_, .handle = handle_, .body = body_,  \
	    .answer = answer_, .status = status_, .is_write = true,            \
	    .summary = summary_ }

static const struct api_row rows[] = {
	/* services */
	READ("/v1/services", api_services_list, "limit cursor", "ServiceList",
	    "Lists services by name."),
	WRITE("POST", "/v1/services", api_service_post, "Service", "Service",
	    201, "Makes a service."),
	READ("/v1/services/{name}", api_service_get, NULL, "Service",
	    "Shows a service."),
	WRITE("PUT", "/v1/services/{name}", api_service_put, "Service",
	    "Service", 200, "Makes or replaces a service."),
	WRITE("PATCH", "/v1/services/{name}", api_service_put, "Service",
	    "Service", 200, "Changes members of a service."),
	{ .method = "DELETE", .path = "/v1/services/{name}",
	    .handle = api_service_delete, .query = "cascade force",
	    .status = 204, .is_write = true,
	    .summary = "Removes a service and its backends; with cascade its "
		       "routes, too." },

	/* backends */
	READ("/v1/services/{name}/backends", api_backends_of_service,
	    "limit cursor", "BackendList", "Lists the backends of a service."),
	WRITE("POST", "/v1/services/{name}/backends", api_backend_post,
	    "Backend", "Backend", 201, "Adds a backend."),
	READ("/v1/services/{name}/backends/{id}", api_backend_get, NULL,
	    "Backend", "Shows a backend."),
	WRITE("PUT", "/v1/services/{name}/backends/{id}", api_backend_put,
	    "Backend", "Backend", 200, "Replaces a backend."),
	WRITE("PATCH", "/v1/services/{name}/backends/{id}",
	    api_backend_put, "Backend", "Backend", 200,
	    "Changes members of a backend."),
	WRITE("DELETE", "/v1/services/{name}/backends/{id}",
	    api_backend_delete, NULL, NULL, 204, "Removes a backend."),
	READ("/v1/backends", api_backends_list, "limit cursor", "BackendList",
	    "Lists the backends of all services."),

	/* routes */
	READ("/v1/routes", api_routes_list, "limit cursor service",
	    "RouteList", "Lists routes by id."),
	WRITE("POST", "/v1/routes", api_route_post, "Route", "Route", 201,
	    "Makes a route."),
	READ("/v1/routes/{id}", api_route_get, NULL, "Route",
	    "Shows a route."),
	WRITE("PUT", "/v1/routes/{id}", api_route_put, "Route", "Route", 200,
	    "Replaces a route."),
	WRITE("PATCH", "/v1/routes/{id}", api_route_put, "Route", "Route",
	    200, "Changes members of a route."),
	WRITE("DELETE", "/v1/routes/{id}", api_route_delete, NULL, NULL, 204,
	    "Removes a route."),

	/* control */
	READ("/v1/maintenance", api_maintenance_get, NULL, "MaintenanceCount",
	    "Counts the services that are in maintenance."),
	WRITE("PUT", "/v1/maintenance", api_maintenance_put,
	    "MaintenanceOrder", "MaintenanceCount", 200,
	    "Puts all services into maintenance."),
	WRITE("DELETE", "/v1/maintenance", api_maintenance_delete, NULL, NULL,
	    204, "Ends the maintenance of all services."),
	READ("/v1/services/{name}/maintenance", api_control_get, NULL,
	    "MaintenanceState", "Shows the maintenance of a service."),
	WRITE("PUT", "/v1/services/{name}/maintenance", api_control_put,
	    "MaintenanceOrder", "MaintenanceState", 200,
	    "Puts a service into maintenance."),
	WRITE("DELETE", "/v1/services/{name}/maintenance", api_control_delete,
	    NULL, NULL, 204, "Ends the maintenance of a service."),
	READ("/v1/services/{name}/drain", api_control_get, NULL,
	    "DrainState", "Shows the drain of a service, and how far it is."),
	WRITE("PUT", "/v1/services/{name}/drain", api_control_put,
	    "DrainOrder", "DrainState", 200, "Drains a service."),
	WRITE("DELETE", "/v1/services/{name}/drain", api_control_delete,
	    NULL, NULL, 204, "Cancels the drain of a service."),
	READ("/v1/backends/{id}/maintenance", api_control_get, NULL,
	    "MaintenanceState", "Shows the maintenance of a backend."),
	WRITE("PUT", "/v1/backends/{id}/maintenance", api_control_put,
	    "MaintenanceOrder", "MaintenanceState", 200,
	    "Puts a backend into maintenance."),
	WRITE("DELETE", "/v1/backends/{id}/maintenance", api_control_delete,
	    NULL, NULL, 204, "Ends the maintenance of a backend."),
	READ("/v1/backends/{id}/drain", api_control_get, NULL,
	    "DrainState", "Shows the drain of a backend, and how far it is."),
	WRITE("PUT", "/v1/backends/{id}/drain", api_control_put,
	    "DrainOrder", "DrainState", 200, "Drains a backend."),
	WRITE("DELETE", "/v1/backends/{id}/drain", api_control_delete,
	    NULL, NULL, 204, "Cancels the drain of a backend."),
	READ("/v1/routes/{id}/maintenance", api_control_get, NULL,
	    "MaintenanceState", "Shows the maintenance of a route."),
	WRITE("PUT", "/v1/routes/{id}/maintenance", api_control_put,
	    "MaintenanceOrder", "MaintenanceState", 200,
	    "Puts a route into maintenance."),
	WRITE("DELETE", "/v1/routes/{id}/maintenance", api_control_delete,
	    NULL, NULL, 204, "Ends the maintenance of a route."),
	READ("/v1/routes/{id}/drain", api_control_get, NULL,
	    "DrainState", "Shows the drain of a route, and how far it is."),
	WRITE("PUT", "/v1/routes/{id}/drain", api_control_put,
	    "DrainOrder", "DrainState", 200, "Drains a route."),
	WRITE("DELETE", "/v1/routes/{id}/drain", api_control_delete,
	    NULL, NULL, 204, "Cancels the drain of a route."),
	READ("/v1/backends/{id}/breaker", api_breaker_get, NULL,
	    "BreakerState", "Shows the breaker of a backend."),
	{ .method = "POST", .path = "/v1/backends/{id}/breaker",
	    .handle = api_breaker_post, .body = "BreakerOrder",
	    .answer = "BreakerState", .status = 200,
	    .summary = "Trips or resets the breaker of a backend." },

	/* history */
	READ("/v1/changes", api_changes, "limit cursor kind key",
	    "ChangeList", "Lists changes, newest first."),
	READ("/v1/changes/{range}", api_changes_range, "limit cursor",
	    "ChangeList",
	    "Lists the changes of generations A..B, oldest first."),

	{ .method = "POST", .path = "/v1/rollback", .handle = api_rollback,
	    .query = "force", .body = "Generation", .answer = "RolledBack",
	    .status = 200, .is_write = true,
	    .summary = "Puts back what there was at a generation." },

	/* all at once */
	READ("/v1/export", api_export, NULL, "Document",
	    "Shows all services, backends and routes as one document."),
	{ .method = "POST", .path = "/v1/import", .handle = api_import,
	    .query = "replace force", .body = "Document", .answer = "Imported",
	    .status = 200, .is_write = true,
	    .summary = "Makes and changes what a document has, in one "
		       "commit." },

	{ .method = "POST", .path = "/v1/store/accept",
	    .handle = api_store_accept, .answer = "Status", .status = 202,
	    .is_write = true,
	    .summary = "Lets through what the guard holds." },

	READ("/v1/store/spool", api_store_spool, "limit cursor", "SpoolList",
	    "Lists what is kept while the database is away, and what was "
	    "dropped."),

	/* the running sluice */
	READ("/v1/explain", api_explain, "method url header from",
	    "Explanation", "Says where a request would go, and why."),
	READ("/v1/instances", api_instances, "limit", "InstanceList",
	    "Lists the sluices that share the store, and what they show."),
	READ("/v1/sessions", api_sessions_list, "limit cursor", "SessionList",
	    "Lists registration sessions, by service and instance."),
	READ("/v1/tokens", api_tokens_list, "limit cursor", "TokenList",
	    "Lists registration tokens, without their secrets."),
	{ .method = "POST", .path = "/v1/tokens", .handle = api_token_post,
	    .body = "Token", .answer = "NewToken", .status = 201,
	    .is_write = true,
	    .summary = "Makes a registration token; its secret is shown "
		       "once." },
	{ .method = "DELETE", .path = "/v1/tokens/{id}",
	    .handle = api_token_delete, .status = 204, .is_write = true,
	    .summary = "Revokes a registration token." },
	READ("/v1/events", api_events, "type", NULL,
	    "What happens, as server-sent events."),
	READ("/v1/workers", api_workers, NULL, "Workers",
	    "Shows the processes and what workers count."),
	{ .method = "POST", .path = "/v1/reload", .handle = api_reload,
	    .answer = "Status", .status = 200, .is_write = true,
	    .summary = "Reads the configuration again." },
	READ("/v1/log", api_log_get, NULL, "LogLevel",
	    "Shows the level of the error log."),
	WRITE("PUT", "/v1/log", api_log_put, "LogLevel", "LogLevel", 200,
	    "Sets the level of the error log, of every process."),

	/* for machines */
	READ("/livez", api_livez, NULL, "Status", "The process runs."),
	READ("/readyz", api_readyz, "verbose", "Status",
	    "Routes are served: 200; 503 while there are none or it stops."),
	READ("/healthz", api_readyz, "verbose", "Status", "As /readyz."),
	READ("/version", api_version, NULL, "Version", "Says what runs."),
	READ("/metrics", api_metrics, NULL, NULL,
	    "Figures in the Prometheus text format."),
	READ("/openapi.json", api_openapi, NULL, NULL,
	    "This interface as OpenAPI 3.1."),

	/* older clients */
	{ .method = "POST", .path = "/register", .handle = api_register,
	    .body = "Registration", .answer = "Registered", .status = 201,
	    .is_write = true,
	    .summary = "Registers a server; again: changes it." },
	{ .method = "DELETE", .path = "/deregister",
	    .handle = api_deregister, .query = "name",
	    .answer = "Registered", .status = 200, .is_write = true,
	    .summary = "Removes a server and its routes." },
	{ .method = "POST", .path = "/deregister", .handle = api_deregister,
	    .query = "name", .body = "Name", .answer = "Registered",
	    .status = 200, .is_write = true,
	    .summary = "Removes a server and its routes." },
	READ("/registry", api_registry, NULL, "Registry",
	    "Lists registered servers by name."),
	READ("/api/ready", api_ready, NULL, NULL, "Readiness."),
	READ("/api/health/db", api_health_db, NULL, NULL,
	    "Whether the database answers."),
	READ("/api/metrics/db", api_metrics_db, NULL, NULL,
	    "Figures of the database pool."),
};

const struct api_row *
api_rows(size_t *count_r)
{
	*count_r = COUNT_OF(rows);
	return rows;
}
