/*
 * worker/refusals.c - the answers that sluice gives by itself.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/refusals.h"

#include "common/log.h"

static const struct refusal refusals[] = {
	[REFUSAL_LOOP] = { 508, "loop",
	    "The request has passed this proxy before.", 0,
	    "proxy_loop_detected" },
	[REFUSAL_BODY_LARGE] = { 413, "body_too_large",
	    "The body is larger than is allowed here.", 0,
	    "http_request_error" },
	[REFUSAL_BODY_FRAMING] = { 400, "bad_request_framing",
	    "The chunked body is malformed.", 0, "http_request_error" },
	[REFUSAL_HEAD_TIMEOUT] = { 408, "client_head_timeout",
	    "The request's head did not arrive in time.", 0,
	    "http_request_error" },
	[REFUSAL_BODY_TIMEOUT] = { 408, "client_body_timeout",
	    "The request's body did not arrive in time.", 0,
	    "http_request_error" },
	[REFUSAL_BODY_SLOW] = { 408, "client_too_slow",
	    "The request's body arrived too slowly.", 0,
	    "http_request_error" },
	[REFUSAL_CONNECTIONS] = { 503, "too_many_connections",
	    "There are too many connections.", 1,
	    "connection_limit_reached" },
	[REFUSAL_QUEUE_TIMEOUT] = { 503, "queue_timeout",
	    "No backend became free in time.", 1,
	    "connection_limit_reached" },
	[REFUSAL_HEAD_OVERFLOW] = { 502, "head_overflow",
	    "The head is too large to be forwarded.", 0,
	    "http_response_header_section_size" },
	[REFUSAL_SHUTDOWN] = { 503, "shutting_down",
	    "The server is shutting down.", 1, "proxy_internal_response" },
	[REFUSAL_RATE_LIMITED] = { 429, "rate_limited",
	    "There are too many requests from your address.", 1,
	    "http_request_denied" },
	[REFUSAL_WEBSOCKET] = { 403, "websocket_refused",
	    "No WebSocket is spoken here.", 0, "http_request_denied" },
};

static const struct refusal of_route[] = {
	[REFUSED_NOT] = { 500, "internal", "Something is wrong here.", 0,
	    "proxy_internal_error" },
	[REFUSED_NO_ROUTE] = { 404, "no_route",
	    "Nothing is served under this address.", 0,
	    "destination_not_found" },
	[REFUSED_MAINTENANCE] = { 503, "maintenance",
	    "The service is down for maintenance.", 300,
	    "destination_unavailable" },
	[REFUSED_DRAINING] = { 503, "draining", "Draining", 5,
	    "destination_unavailable" },
	[REFUSED_BREAKER] = { 503, "breaker_open",
	    "The service fails too often and is left alone for now.", 5,
	    "destination_unavailable" },
	[REFUSED_UNHEALTHY] = { 503, "no_healthy_backend",
	    "No backend of the service is healthy.", 5,
	    "destination_unavailable" },
	[REFUSED_NO_BACKEND] = { 503, "no_backend",
	    "The service has no backend.", 5, "destination_unavailable" },
	[REFUSED_BUSY] = { 503, "backends_busy",
	    "All backends of the service are busy.", 1,
	    "connection_limit_reached" },
	[REFUSED_TABLE] = { 503, "table_unreadable",
	    "The route table cannot be read.", 1, "proxy_internal_error" },
};

static const struct refusal of_upstream[] = {
	[UPSTREAM_CONNECT_FAILED] = { 502, "connect_failed",
	    "The backend cannot be reached.", 0, "connection_refused" },
	[UPSTREAM_CONNECT_TIMEOUT] = { 504, "connect_timeout",
	    "The backend did not accept in time.", 0, "connection_timeout" },
	[UPSTREAM_UNRESOLVED] = { 502, "backend_unresolved",
	    "The backend's name has no address.", 0, "dns_error" },
	[UPSTREAM_CLOSED] = { 502, "backend_closed",
	    "The backend closed before its answer was complete.", 0,
	    "http_response_incomplete" },
	[UPSTREAM_TIMEOUT] = { 504, "backend_timeout",
	    "The backend did not answer in time.", 0,
	    "http_response_timeout" },
	[UPSTREAM_PROTOCOL] = { 502, "bad_response",
	    "The backend's answer is not valid HTTP.", 0,
	    "http_protocol_error" },
};

const struct refusal *
refusal_of(enum refusal_kind kind)
{
	return &refusals[kind];
}

const struct refusal *
refusal_of_route(enum route_refusal refusal)
{
	invariant(refusal < COUNT_OF(of_route));
	return &of_route[refusal];
}

const struct refusal *
refusal_of_upstream(enum upstream_failure failure)
{
	return &of_upstream[failure];
}

struct bytes
refusal_extra_fields(const struct refusal *refusal)
{
	static const struct bytes none = { NULL, 0 };
	static const struct bytes maintenance =
	    BYTES_LITERAL("X-Maintenance-Mode: true\r\n");
	static const struct bytes draining =
	    BYTES_LITERAL("X-Drain-Mode: true\r\n");

	if (refusal == &of_route[REFUSED_MAINTENANCE])
		return maintenance;
	if (refusal == &of_route[REFUSED_DRAINING])
		return draining;
	return none;
}

static const char maintenance_html[] =
    "<!doctype html>\n"
    "<html lang=\"en\">\n"
    "<head><meta charset=\"utf-8\"><title>Maintenance</title></head>\n"
    "<body><h1>Down for maintenance</h1>\n"
    "<p>The service is being worked on. Please try again in a few "
    "minutes.</p></body>\n"
    "</html>\n";

struct refusal_page
refusal_page(const struct refusal *refusal, bool wants_json)
{
	static const struct refusal_page common;
	static const struct refusal_page maintenance = {
		{ maintenance_html, sizeof(maintenance_html) - 1 },
		BYTES_LITERAL("text/html; charset=utf-8"),
	};
	static const struct refusal_page draining = {
		BYTES_LITERAL("Draining"),
		BYTES_LITERAL("text/plain; charset=utf-8"),
	};

	if (refusal == &of_route[REFUSED_MAINTENANCE] && !wants_json)
		return maintenance;
	if (refusal == &of_route[REFUSED_DRAINING])
		return draining;
	return common;
}
