/*
 * worker/client_h1.c - HTTP/1 from a client: heads and bodies come in.
 */
/* SPDX-License-Identifier: ISC */
#include "common/log.h"
#include "worker/address_text.h"
#include "worker/client.h"
#include "worker/exchange.h"
#include "worker/refusals.h"
#include "worker/trusted_proxies.h"

enum step { STEP_ON, STEP_WAIT };

static void
leave_waiting(struct client *client)
{
	if (client->state == CLIENT_WAITING)
		stats_sub(&client->worker->counters->connections_idle, 1);
}

/* The settings may have changed since the last request. */
static void
judge_peer(struct client *client)
{
	struct worker *worker = client->worker;

	if (client->trusted_version == worker->trusted_version)
		return;
	client->trusted_version = worker->trusted_version;
	client->is_trusted = trusted_proxies_include(worker->trusted,
	    &client->address);
}

static struct exchange *
new_exchange(struct client *client)
{
	struct exchange *exchange = exchange_new(client->worker);

	if (exchange == NULL)
		return NULL;
	judge_peer(client);
	leave_waiting(client);
	wheel_disarm(&client->timer);
	exchange->ops = client_h1_ops();
	exchange->client = client;
	exchange->peer = (struct forward_peer){
		.address = address_text_write(&client->address,
		    exchange->client_text),
		.listen_port = *client->listen_port,
		.is_trusted = client->is_trusted,
	};
	exchange->client_address = client->address;
	exchange->space = client->space;
	exchange->head_in = client->head_len;
	client->exchange = exchange;
	client->state = CLIENT_BUSY;
	client->is_first = false;
	client->has_trailers = client->is_chunked = false;
	return exchange;
}

void
client_refuse_unread(struct client *client, const struct refusal *refusal)
{
	struct exchange *exchange;

	client->head_len = buffer_len(client->link.in);
	client->is_body_complete = false;
	if ((exchange = new_exchange(client)) == NULL)
		client_close(client);
	else
		exchange_refuse_unread(exchange, refusal,
		    client->link.in == NULL ? bytes_slice(NULL, 0)
					    : buffer_bytes(client->link.in));
}

static enum step
refuse_fault(struct client *client, struct exchange *exchange,
    enum http_fault fault)
{
	struct bytes head = bytes_slice(client->link.in->data,
	    client->head_len);

	client->is_body_complete = false;
	exchange_refuse_fault(exchange, fault, head);
	return STEP_ON;
}

static void
expect_body(struct client *client, const struct http_request *request)
{
	struct client_course *course = &client->exchange->course;

	course->body_left = request->content_length;
	course->chunked = (struct http_chunked){ 0 };
	client->is_body_complete = request->body == HTTP_BODY_NONE;
	client->link.keep = client->head_len;
	client->link.retains_input = !client->is_body_complete;
	client->link.has_moved = false;
}

static enum step
begin_request(struct client *client)
{
	struct exchange *exchange = new_exchange(client);
	struct link *link = &client->link;
	struct bytes head = bytes_slice(buffer_bytes(link->in).data,
	    client->head_len);
	enum http_fault fault;

	if (exchange == NULL) {
		client_close(client);
		return STEP_WAIT;
	}
	fault = http_request_parse(head, &exchange->request);
	link_consume(link, client->head_len);
	if (fault != HTTP_FAULT_NONE)
		return refuse_fault(client, exchange, fault);
	expect_body(client, &exchange->request);
	exchange_begin(exchange);
	if (client->exchange == exchange && !client->is_body_complete)
		client_watch_progress(client);
	return STEP_ON;
}

/* No whole head yet: it must come in time. */
static enum step
await_head(struct client *client)
{
	if (client->is_half_closed) {
		client_close(client);
		return STEP_WAIT;
	}
	link_start_reading(&client->link);
	if (client->state == CLIENT_WAITING) {
		leave_waiting(client);
		client->state = CLIENT_IN_HEAD;
		/* A first head's time runs since the connection was made. */
		if (!client->is_first)
			worker_set_timer(client->worker, &client->timer,
			    client->worker->settings->http
			    .client_head_timeout_ms);
	}
	return STEP_WAIT;
}

static enum step
take_head(struct client *client)
{
	struct link *link = &client->link;
	enum http_fault fault = HTTP_FAULT_NONE;
	struct bytes input;
	struct exchange *exchange;
	size_t end = 0;

	if (buffer_len(link->in) == 0)
		return STEP_WAIT;
	input = buffer_bytes(link->in);
	switch (http_head_scan(&client->scan, input.data, input.len, true,
	    &end, &fault)) {
	case HTTP_SCAN_MORE:
		return await_head(client);
	case HTTP_SCAN_DONE:
		client->head_len = (uint32_t)end;
		return begin_request(client);
	case HTTP_SCAN_FAULT:
		break;
	}
	client->head_len = (uint32_t)input.len;
	if ((exchange = new_exchange(client)) == NULL) {
		client_close(client);
		return STEP_WAIT;
	}
	return refuse_fault(client, exchange, fault);
}

void
client_process(struct client *client)
{
	enum step step = STEP_ON;

	if (client->is_processing)
		return;
	client->is_processing = true;
	while (step == STEP_ON) {
		switch (client->state) {
		case CLIENT_WAITING:
		case CLIENT_IN_HEAD:
			step = take_head(client);
			break;
		case CLIENT_BUSY:
			if (!client->is_body_complete)
				client_pump_body(client);
			step = client->state == CLIENT_WAITING ? STEP_ON
							       : STEP_WAIT;
			break;
		case CLIENT_ENDING:
		case CLIENT_TUNNEL:
		case CLIENT_LINGERING:
		case CLIENT_OVER:
			step = STEP_WAIT;
			break;
		}
	}
	client->is_processing = false;
}

/* Bodies ----------------------------------------------------------------- */

static void
body_is_complete(struct client *client)
{
	client->is_body_complete = true;
	exchange_request_end(client->exchange);
}

static enum step
pump_plain(struct client *client)
{
	struct exchange *exchange = client->exchange;
	struct bytes input = buffer_bytes(client->link.in);
	size_t taken;

	if (input.len > exchange->course.body_left)
		input.len = exchange->course.body_left;
	if (input.len == 0)
		return STEP_WAIT;
	taken = exchange_request_data(exchange, input);
	if (client->exchange != exchange || client->state != CLIENT_BUSY)
		return STEP_WAIT;
	link_consume(&client->link, (uint32_t)taken);
	exchange->course.body_left -= taken;
	if (exchange->course.body_left == 0)
		body_is_complete(client);
	return STEP_WAIT;
}

static enum step
take_decoded(struct client *client, enum http_chunked_result result,
    struct bytes data)
{
	struct exchange *exchange = client->exchange;

	switch (result) {
	case HTTP_CHUNKED_MORE:
		return STEP_WAIT;
	case HTTP_CHUNKED_DATA:
		(void)exchange_request_data(exchange, data);
		break;
	case HTTP_CHUNKED_TRAILER:
		exchange_request_trailer(exchange, data);
		break;
	case HTTP_CHUNKED_DONE:
		body_is_complete(client);
		return STEP_WAIT;
	case HTTP_CHUNKED_FAULT:
		exchange_refuse(exchange, refusal_of(REFUSAL_BODY_FRAMING));
		return STEP_WAIT;
	}
	return client->exchange == exchange && client->state == CLIENT_BUSY ?
	    STEP_ON : STEP_WAIT;
}

static enum step
pump_chunked(struct client *client)
{
	struct bytes input = buffer_bytes(client->link.in), data;
	size_t room = exchange_request_room(client->exchange), used = 0;
	enum http_chunked_result result;
	bool is_all = true;

	if (room == 0 || input.len == 0)
		return STEP_WAIT;
	if (input.len > room) {
		input.len = room;
		is_all = false;
	}
	result = http_chunked_decode(&client->exchange->course.chunked,
	    input.data, input.len, &used, &data);
	link_consume(&client->link, (uint32_t)used);
	if (result == HTTP_CHUNKED_MORE && !is_all && used > 0)
		return STEP_ON;
	return take_decoded(client, result, data);
}

/* Pumps as much as there is room for.  Returns whether anything moved. */
static bool
pump_once(struct client *client)
{
	bool is_chunked =
	    client->exchange->request.body == HTTP_BODY_CHUNKED;
	uint32_t before = client->link.in->start;
	enum step step = STEP_ON;

	while (step == STEP_ON && !client->is_body_complete)
		step = is_chunked ? pump_chunked(client) : pump_plain(client);
	return client->link.in != NULL && client->link.in->start != before;
}

/* Once its output is written, a backend may take all of it, and nobody
 * would wake us: so on it goes while anything moves. */
void
client_pump_body(struct client *client)
{
	struct exchange *exchange = client->exchange;
	bool has_moved = client->link.in != NULL;

	while (has_moved && !client->is_body_complete) {
		has_moved = pump_once(client);
		if (client->exchange != exchange ||
		    client->state != CLIENT_BUSY)
			return;
		exchange_request_flush(exchange);
		if (client->exchange != exchange ||
		    client->state != CLIENT_BUSY)
			return;
	}
	if (!client->is_half_closed)
		link_start_reading(&client->link);
	else if (!client->is_body_complete &&
	    exchange_request_room(exchange) > 0)
		client_broken(client);	/* what is missing will not come */
}

bool
client_discard_body(struct client *client)
{
	struct link *link = &client->link;
	struct client_course *course;
	enum http_chunked_result result = HTTP_CHUNKED_DATA;
	struct bytes input, data;
	size_t used;

	if (client->is_body_complete || !client->exchange->has_request)
		return client->is_body_complete;
	course = &client->exchange->course;
	input = buffer_bytes(link->in);
	if (client->exchange->request.body == HTTP_BODY_LENGTH) {
		if (input.len < course->body_left)
			return false;
		link_consume(link, (uint32_t)course->body_left);
		return client->is_body_complete = true;
	}
	while (result == HTTP_CHUNKED_DATA || result == HTTP_CHUNKED_TRAILER) {
		input = buffer_bytes(link->in);
		result = http_chunked_decode(&course->chunked, input.data,
		    input.len, &used, &data);
		link_consume(link, (uint32_t)used);
	}
	client->is_body_complete = result == HTTP_CHUNKED_DONE;
	return client->is_body_complete;
}

bool
client_rewind_body(struct client *client)
{
	struct link *link = &client->link;

	if (link->in == NULL || link->has_moved)
		return false;
	link->in->start = client->head_len;
	expect_body(client, &client->exchange->request);
	return true;
}
