/*
 * registryd/metrics_rows.c - names, types and sentences of the metrics.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/metrics.h"
#include "shm/worker_stats.h"

#define COUNTER(name_, help_)	{ name_, "counter", help_ }
#define GAUGE(name_, help_)	{ name_, "gauge", help_ }
#define HISTOGRAM(name_, help_) { name_, "histogram", help_ }

static const struct metric_row rows[METRIC_COUNT] = {
	[METRIC_HTTP_REQUESTS] = COUNTER("sluice_http_requests_total",
	    "Requests answered, by route and status."),
	[METRIC_HTTP_SECONDS] =
	    HISTOGRAM("sluice_http_request_duration_seconds",
		"First byte in to last byte out, by route."),
	[METRIC_ROUTE_RECEIVED] = COUNTER("sluice_http_received_bytes_total",
	    "Bytes of requests, by route."),
	[METRIC_ROUTE_SENT] = COUNTER("sluice_http_sent_bytes_total",
	    "Bytes of answers, by route."),
	[METRIC_RATE_LIMITED] = COUNTER("sluice_rate_limited_total",
	    "Requests over a rate limit, refused or (dry run) not, by "
	    "route."),
	[METRIC_BACKEND_REQUESTS] = COUNTER("sluice_backend_requests_total",
	    "Requests sent to a backend."),
	[METRIC_BACKEND_FAILURES] = COUNTER("sluice_backend_failures_total",
	    "Requests that a backend did not answer."),
	[METRIC_BACKEND_RESPONSES] = COUNTER("sluice_backend_responses_total",
	    "Answers of a backend, by class of status."),
	[METRIC_BACKEND_SECONDS] =
	    HISTOGRAM("sluice_backend_request_duration_seconds",
		"Request sent to head of the answer, by backend."),
	[METRIC_BACKEND_RECEIVED] =
	    COUNTER("sluice_backend_received_bytes_total",
		"Bytes read from a backend."),
	[METRIC_BACKEND_SENT] = COUNTER("sluice_backend_sent_bytes_total",
	    "Bytes written to a backend."),
	[METRIC_BACKEND_IN_FLIGHT] = GAUGE("sluice_backend_in_flight",
	    "Requests and tunnels at a backend now."),
	[METRIC_BACKEND_CONNECTIONS] = GAUGE("sluice_backend_connections",
	    "Connections open to a backend now."),
	[METRIC_BACKEND_UP] = GAUGE("sluice_backend_up",
	    "1 if the latest probes of a backend were answered."),
	[METRIC_BACKEND_STATE] = GAUGE("sluice_backend_state",
	    "1 for the state that a backend is in."),
	[METRIC_CIRCUIT_STATE] = GAUGE("sluice_circuit_state",
	    "1 for the state that the breaker of a backend is in."),
	[METRIC_CIRCUIT_OPENED] = COUNTER("sluice_circuit_opened_total",
	    "How often the breaker of a backend opened."),
	[METRIC_BACKEND_PROBES] = COUNTER("sluice_backend_probes_total",
	    "Probes of a backend."),
	[METRIC_BACKEND_PROBES_FAILED] =
	    COUNTER("sluice_backend_probes_failed_total",
		"Probes that a backend did not answer well."),
	[METRIC_DRAIN_REMAINING] = GAUGE("sluice_drain_remaining_seconds",
	    "Until the drain of a service, backend or route is complete."),
	[METRIC_HEALTH_AGE] = GAUGE("sluice_health_age_seconds",
	    "Since healthd last turned its loop."),
	[METRIC_HEALTH_STALE] = GAUGE("sluice_health_stale",
	    "1 if healthd is not there and its last words stand."),
	[METRIC_TABLE_GENERATION] = GAUGE("sluice_table_generation",
	    "The generation that the route table shows."),
	[METRIC_TABLE_AGE] = GAUGE("sluice_table_age_seconds",
	    "Since the route table was last published."),
	[METRIC_TABLE_ROUTES] = GAUGE("sluice_table_routes",
	    "Routes in the table."),
	[METRIC_TABLE_SERVICES] = GAUGE("sluice_table_services",
	    "Services in the table."),
	[METRIC_TABLE_BACKENDS] = GAUGE("sluice_table_backends",
	    "Backends in the table."),
	[METRIC_TABLE_BYTES] = GAUGE("sluice_table_bytes",
	    "Memory in use by one of the table's two copies."),
	[METRIC_STORE_UP] = GAUGE("sluice_store_up",
	    "1 if the store can be reached."),
	[METRIC_STORE_SIZE] = GAUGE("sluice_store_pool_size",
	    "Connections to the store that may be open."),
	[METRIC_STORE_OPEN] = GAUGE("sluice_store_connections_open",
	    "Connections to the store that are open."),
	[METRIC_STORE_IDLE] = GAUGE("sluice_store_connections_idle",
	    "Connections to the store that wait for work."),
	[METRIC_STORE_IN_USE] = GAUGE("sluice_store_connections_in_use",
	    "Connections to the store that are at work."),
	[METRIC_STORE_WAITING] = GAUGE("sluice_store_waiting",
	    "Calls that wait for a connection to the store."),
	[METRIC_STORE_QUERIES] = COUNTER("sluice_store_queries_total",
	    "Queries to the store."),
	[METRIC_STORE_QUERIES_FAILED] =
	    COUNTER("sluice_store_queries_failed_total",
		"Queries that the store did not answer well."),
	[METRIC_STORE_QUERY_SECONDS] =
	    COUNTER("sluice_store_query_seconds_total",
		"Time that queries to the store took."),
	[METRIC_STORE_CONNECTS] = COUNTER("sluice_store_connects_total",
	    "Connections to the store that were made."),
	[METRIC_STORE_HELD] = GAUGE("sluice_store_held",
	    "1 while the guard holds what the store says."),
	[METRIC_STORE_HELD_ROUTES] = GAUGE("sluice_store_held_paths",
	    "Paths that what is held would remove."),
	[METRIC_HISTORY_ROWS] = GAUGE("sluice_store_history_rows",
	    "Rows of history, when they were last counted."),
	[METRIC_HISTORY_AGE] = GAUGE("sluice_store_history_age_seconds",
	    "Age of the oldest row of history."),
	[METRIC_HISTORY_PRUNED] =
	    COUNTER("sluice_store_history_pruned_total",
		"Rows of history that were removed."),
	[METRIC_STORE_LISTENING] = GAUGE("sluice_store_listening",
	    "1 while changes of other instances are heard at once."),
	[METRIC_PROPAGATION] = HISTOGRAM("sluice_propagation_seconds",
	    "From a change by another instance until it was routed here."),
	[METRIC_INSTANCE_BEHIND] = GAUGE("sluice_instance_behind",
	    "Generations that the table of an instance is behind the store."),
	[METRIC_INSTANCE_STALE] = GAUGE("sluice_instance_stale",
	    "1 for an instance that has not told of itself for too long."),
	[METRIC_CERTIFICATE_END] =
	    GAUGE("sluice_certificate_not_after_timestamp_seconds",
		"When the certificate that a listener shows expires."),
	[METRIC_HANDSHAKES_FAILED] =
	    COUNTER("sluice_registration_tls_handshakes_failed_total",
		"Connections that ended before TLS was agreed on."),
	[METRIC_REPLICA_GENERATION] =
	    GAUGE("sluice_store_replica_generation",
		"The generation that the local file has."),
	[METRIC_REPLICA_AGE] = GAUGE("sluice_store_replica_age_seconds",
	    "Since the local file was known to be as the database is."),
	[METRIC_REPLICA_SERVED] = GAUGE("sluice_store_replica_served",
	    "1 while the local file is routed from, and the database was not "
	    "read since the start."),
	[METRIC_REPLICA_GOOD] = GAUGE("sluice_store_replica_good",
	    "1 while the local file can be written."),
	[METRIC_REPLICA_FAILED] =
	    COUNTER("sluice_store_replica_failures_total",
		"Times that the local file could not be written."),
	[METRIC_REPLICA_SET_ASIDE] =
	    COUNTER("sluice_store_replica_set_aside_total",
		"Local files that could not be read, and were begun anew."),
	[METRIC_SPOOL_WAITING] = GAUGE("sluice_store_spool_waiting",
	    "Commits that are kept until the database is back."),
	[METRIC_SPOOL_SPOOLED] =
	    COUNTER("sluice_store_spool_spooled_total",
		"Commits that were kept while the database was away."),
	[METRIC_SPOOL_PLAYED] = COUNTER("sluice_store_spool_played_total",
	    "Kept commits that the database has taken since."),
	[METRIC_SPOOL_DROPPED] = COUNTER("sluice_store_spool_dropped_total",
	    "Kept commits that others' changes did not leave room for."),
	[METRIC_RELOAD_TIME] =
	    GAUGE("sluice_config_last_reload_success_timestamp_seconds",
		"When the configuration was last read again, well."),
	[METRIC_RELOAD_GOOD] = GAUGE("sluice_config_last_reload_successful",
	    "1 if the latest reload succeeded, or there was none."),
	[METRIC_RELOADS] = COUNTER("sluice_config_reloads_total",
	    "Reloads that succeeded."),
	[METRIC_RELOADS_FAILED] =
	    COUNTER("sluice_config_reloads_failed_total",
		"Reloads that found a fault."),
	[METRIC_RESTARTS] = COUNTER("sluice_worker_restarts_total",
	    "Processes started again after they died, by role."),
	[METRIC_WORKERS] = GAUGE("sluice_workers", "Workers that are wanted."),
	[METRIC_LOG_DROPPED] =
	    COUNTER("sluice_registryd_log_lines_dropped_total",
		"Lines of registryd's error log that could not be written."),
	[METRIC_BUILD] = GAUGE("sluice_build_info",
	    "Always 1; says what runs."),
	[METRIC_CPU] = COUNTER("process_cpu_seconds_total",
	    "Processor time that registryd used."),
	[METRIC_RESIDENT] = GAUGE("process_resident_memory_bytes",
	    "Resident memory of registryd, the shared segment included."),
	[METRIC_VIRTUAL] = GAUGE("process_virtual_memory_bytes",
	    "Address space of registryd."),
	[METRIC_FDS] = GAUGE("process_open_fds",
	    "Descriptors that registryd has open."),
	[METRIC_FDS_MAX] = GAUGE("process_max_fds",
	    "Descriptors that registryd may have open."),
	[METRIC_START] = GAUGE("process_start_time_seconds",
	    "When registryd was started."),
};

const struct metric_row *
metric_row(enum metric_id id)
{
	return &rows[id];
}

void
metrics_each_row(metric_row_fn *callback, void *context)
{
	static const struct metric_row counters[] = {
#define X(field, metric, help) COUNTER(metric, help),
		WORKER_COUNTERS(X)
#undef X
	};
	static const struct metric_row gauges[] = {
#define X(field, metric, help) GAUGE(metric, help),
		WORKER_GAUGES(X)
#undef X
	};

	for (size_t i = 0; i < COUNT_OF(counters); i++)
		callback(context, &counters[i]);
	for (size_t i = 0; i < COUNT_OF(gauges); i++)
		callback(context, &gauges[i]);
	for (size_t i = 0; i < METRIC_COUNT; i++)
		callback(context, &rows[i]);
}
