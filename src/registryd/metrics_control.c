/*
 * registryd/metrics_control.c - what /metrics says of drains, and of
 * certificates.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "daemon/tls.h"
#include "registryd/metrics.h"
#include "registryd/metrics_parts.h"
#include "registryd/protocol/protocol.h"

static void
write_drain(struct buf *buf, enum object_kind kind, const char *key,
    const struct condition *condition)
{
	const struct metric_label labels[] = {
		{ "kind", bytes_of(object_kind_name(kind)) },
		{ "id", bytes_of(key) },
	};
	int64_t left_ms = condition->drain_at_wall_ms +
	    condition->drain_span_ms - clock_wall_ms();

	if (condition->drain_at_wall_ms == 0)
		return;
	metric_number(buf, metric_row(METRIC_DRAIN_REMAINING), "", labels,
	    COUNT_OF(labels), left_ms <= 0 ? 0 : (double)left_ms / 1e3);
}

void
metrics_write_drains(struct metrics_page *page, const struct model *model)
{
	const struct model_service *service;
	const struct model_backend *backend;
	const struct model_route *route;
	char id[24];

	metric_begin(&page->buf, metric_row(METRIC_DRAIN_REMAINING));
	if (model == NULL)
		return;
	LIST_FOREACH(service, &model->ordered_services, ordered)
		write_drain(&page->buf, OBJECT_SERVICE, service->object.name,
		    &service->object.condition);
	LIST_FOREACH(backend, &model->ordered_backends, ordered) {
		snprintf(id, sizeof(id), "%" PRIu64, backend->object.id);
		write_drain(&page->buf, OBJECT_BACKEND, id,
		    &backend->object.condition);
	}
	LIST_FOREACH(route, &model->ordered_routes, ordered) {
		snprintf(id, sizeof(id), "%" PRIu64, route->object.id);
		write_drain(&page->buf, OBJECT_ROUTE, id,
		    &route->object.condition);
	}
}

void
metrics_write_certificates(struct buf *buf, const struct protocol *protocol)
{
	const struct metric_label label = { "listener",
		bytes_of("registration") };
	const struct tls_certificate *certificate;

	if (protocol->tls == NULL)
		return;
	certificate = tls_context_certificate(protocol->tls);
	metric_begin(buf, metric_row(METRIC_CERTIFICATE_END));
	metric_number(buf, metric_row(METRIC_CERTIFICATE_END), "", &label, 1,
	    (double)certificate->not_after_wall_ms / 1e3);
	metric_begin(buf, metric_row(METRIC_HANDSHAKES_FAILED));
	metric_integer(buf, metric_row(METRIC_HANDSHAKES_FAILED), "", NULL, 0,
	    protocol->handshake_failed_count);
}
