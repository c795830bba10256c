/*
 * worker/exchange_refuse.c - exchanges that sluice answers by itself.
 */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "worker/exchange.h"
#include "worker/refusals.h"

void
exchange_drop_upstream(struct exchange *exchange)
{
	if (exchange->upstream != NULL)
		upstream_abort(exchange->upstream);
	exchange->upstream = NULL;
	exchange_count_try_over(exchange);
}

static void
answer_own(struct exchange *exchange, const struct refusal *refusal)
{
	const struct http_request *request = &exchange->request;
	struct worker *worker = exchange->worker;
	bool has_request = exchange->has_request;
	bool wants_json = has_request && http_wants_json(&request->fields);
	struct refusal_page page = refusal_page(refusal, wants_json);
	char extra[256];
	struct own_answer answer = {
		.status = refusal->status,
		.reason_word = refusal->word,
		.detail = refusal->detail,
		.retry_after_s = refusal->retry_after_s,
		.wants_json = wants_json,
		.is_head = has_request &&
		    request->method_id == HTTP_METHOD_HEAD,
		.request_id = exchange->request_id,
		.date = worker_date(worker),
		.extra_fields = refusal_extra_fields(refusal),
		.body = page.body,
		.content_type = page.content_type,
	};

	if (worker->settings->http.proxy_status) {
		int len = snprintf(extra, sizeof(extra),
		    "Proxy-Status: sluice; error=%s\r\n%.*s",
		    refusal->proxy_error, BYTES_ARGS(answer.extra_fields));

		answer.extra_fields = bytes_slice(extra, (size_t)len);
	}
	exchange->status = refusal->status;
	exchange->reason = refusal->word;
	exchange->is_answer_started = exchange->is_answer_complete = true;
	exchange->ops->own(exchange->client, &answer);
}

void
exchange_refuse(struct exchange *exchange, const struct refusal *refusal)
{
	exchange_leave_queue(exchange);
	exchange_drop_upstream(exchange);
	if (exchange->is_answer_started) {
		exchange->reason = refusal->word;
		exchange->ops->cut(exchange->client);
		return;
	}
	answer_own(exchange, refusal);
}

/* What the log can tell of a head that is no request: its first line's
 * first two words. */
static void
take_first_line(struct exchange *exchange, struct bytes head)
{
	struct http_request *request = &exchange->request;
	struct bytes line = { NULL, 0 };

	while (head.len > 0 && (*head.data == '\r' || *head.data == '\n'))
		head = bytes_slice(head.data + 1, head.len - 1);
	(void)bytes_next_field(&head, '\n', &line);
	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	memset(&request->fields, 0, sizeof(request->fields));
	request->authority = bytes_slice(NULL, 0);
	request->method = request->target = request->authority;
	request->minor_version = 1;
	(void)bytes_next_field(&line, ' ', &request->method);
	(void)bytes_next_field(&line, ' ', &request->target);
	exchange->has_line = true;
}

void
exchange_refuse_fault(struct exchange *exchange, enum http_fault fault,
    struct bytes head)
{
	const struct refusal refusal = {
		.status = http_fault_status(fault),
		.word = http_fault_word(fault),
		.detail = http_fault_text(fault),
		.proxy_error = "http_request_error",
	};

	take_first_line(exchange, head);
	exchange_take_request_id(exchange);
	answer_own(exchange, &refusal);
}

void
exchange_refuse_unread(struct exchange *exchange,
    const struct refusal *refusal, struct bytes head)
{
	take_first_line(exchange, head);
	exchange_take_request_id(exchange);
	answer_own(exchange, refusal);
}
