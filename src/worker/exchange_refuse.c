/*
 * worker/exchange_refuse.c - exchanges that sluice answers by itself.
 */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "worker/exchange.h"
#include "worker/pages.h"
#include "worker/refusals.h"

void
exchange_drop_upstream(struct exchange *exchange)
{
	if (exchange->upstream != NULL)
		upstream_abort(exchange->upstream);
	exchange->upstream = NULL;
	exchange_count_try_over(exchange);
}

struct bytes
exchange_limit_fields(const struct exchange *exchange,
    char text[EXCHANGE_LIMIT_FIELDS_SIZE])
{
	const struct limit_told *limit = &exchange->limit;
	int len = snprintf(text, EXCHANGE_LIMIT_FIELDS_SIZE,
	    "RateLimit-Limit: %u\r\nRateLimit-Remaining: %u\r\n"
	    "RateLimit-Reset: %lld\r\n", limit->requests,
	    limit->remaining, (long long)(limit->reset_ms + 999) / 1000);

	return bytes_slice(text, (size_t)len);
}

/* What an answer of our own says beyond its refusal. */
struct own_parts {
	struct refusal_page page;	/* empty: the common one */
	struct bytes fields;		/* whole lines with CRLF */
};

static void
answer_with(struct exchange *exchange, const struct refusal *refusal,
    const struct own_parts *parts)
{
	const struct http_request *request = &exchange->request;
	struct worker *worker = exchange->worker;
	bool has_request = exchange->has_request;
	char extra[1024], limit[EXCHANGE_LIMIT_FIELDS_SIZE];
	struct own_answer answer = {
		.status = refusal->status,
		.reason_word = refusal->word,
		.detail = refusal->detail,
		.retry_after_s = refusal->retry_after_s,
		.wants_json = has_request &&
		    http_wants_json(&request->fields),
		.is_head = has_request &&
		    request->method_id == HTTP_METHOD_HEAD,
		.request_id = exchange->request_id,
		.date = worker_date(worker),
		.extra_fields = parts->fields,
		.body = parts->page.body,
		.content_type = parts->page.content_type,
	};

	if (exchange->tells_limit && parts->fields.len == 0)
		answer.extra_fields = exchange_limit_fields(exchange, limit);
	if (worker->settings->http.proxy_status) {
		int len = snprintf(extra, sizeof(extra),
		    "Proxy-Status: sluice; error=%s\r\n%.*s",
		    refusal->proxy_error, BYTES_ARGS(answer.extra_fields));

		if ((size_t)len < sizeof(extra))
			answer.extra_fields = bytes_slice(extra, (size_t)len);
	}
	exchange->status = refusal->status;
	exchange->reason = refusal->word;
	exchange->is_answer_started = exchange->is_answer_complete = true;
	exchange->ops->own(exchange->client, &answer);
}

static void
answer_own(struct exchange *exchange, const struct refusal *refusal)
{
	bool wants_json = exchange->has_request &&
	    http_wants_json(&exchange->request.fields);
	const struct own_parts parts = {
		.page = refusal_page(refusal, wants_json),
		.fields = refusal_extra_fields(refusal),
	};

	answer_with(exchange, refusal, &parts);
}

void
exchange_refuse_route(struct exchange *exchange)
{
	const struct route_choice *choice = &exchange->choice;
	const struct condition_spec *condition = choice->condition;

	if (choice->refusal == REFUSED_MAINTENANCE && condition != NULL &&
	    condition->page_url.len > 0 &&
	    pages_answer(exchange->worker->pages, exchange,
	    condition->page_url))
		return;
	exchange_refuse(exchange, refusal_of_route(choice->refusal));
}

void
exchange_answer_page(struct exchange *exchange,
    const struct page_answer *page)
{
	struct refusal refusal = *refusal_of_route(REFUSED_MAINTENANCE);
	const struct own_parts parts = {
		.page = { page->body, page->content_type },
		.fields = page->fields,
	};

	refusal.status = page->status;
	if (page->status != refusal_of_route(REFUSED_MAINTENANCE)->status)
		refusal.retry_after_s = 0;
	answer_with(exchange, &refusal, &parts);
}

void
exchange_refuse_limited(struct exchange *exchange,
    const struct limit_verdict *verdict)
{
	struct refusal refusal = *refusal_of(REFUSAL_RATE_LIMITED);
	const struct own_parts parts = { 0 };

	refusal.retry_after_s = (uint32_t)((verdict->retry_ms + 999) / 1000);
	if (refusal.retry_after_s == 0)
		refusal.retry_after_s = 1;
	exchange->tells_limit = true;
	answer_with(exchange, &refusal, &parts);
}

void
exchange_refuse(struct exchange *exchange, const struct refusal *refusal)
{
	exchange_leave_queue(exchange);
	pages_leave(exchange);
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
