/*
 * registryd/store/cells.c - objects as rows of cells, for both SQL dialects.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/cells.h"

#include <stdlib.h>

#include "registryd/store/condition_text.h"
#include "registryd/store/lists.h"

struct cell
cell_integer(int64_t integer)
{
	return (struct cell){ .type = CELL_INTEGER, .integer = integer };
}

struct cell
cell_text(const char *text)
{
	if (text == NULL)
		return (struct cell){ .type = CELL_NULL };
	return (struct cell){ .type = CELL_TEXT, .text = bytes_of(text) };
}

#define TIMES_CELLS 3

static void
times_to_cells(const struct object_times *times, struct cell *cells)
{
	cells[0] = cell_integer(times->created_wall_ms);
	cells[1] = cell_integer(times->updated_wall_ms);
	cells[2] = cell_integer((int64_t)times->version);
}

int
service_to_cells(const struct service *service, struct object_texts *texts,
    struct cell *cells_r)
{
	struct cell *cell = cells_r;

	if (condition_write(&texts->condition, &service->condition) == -1)
		return -1;
	*cell++ = cell_text(service->name);
	*cell++ = cell_text(object_origin_name(service->origin));
	*cell++ = cell_text(balance_policy_name(service->policy));
	*cell++ = cell_text(service->hash_header);
	*cell++ = cell_integer(service->connect_timeout_ms);
	*cell++ = cell_integer(service->response_timeout_ms);
	*cell++ = cell_integer(service->queue_timeout_ms);
	*cell++ = cell_integer(service->retries);
	*cell++ = cell_text(probe_kind_name(service->probe_kind));
	*cell++ = cell_integer(service->probe_interval_ms);
	*cell++ = cell_integer(service->probe_timeout_ms);
	*cell++ = cell_integer(service->probe_rise);
	*cell++ = cell_integer(service->probe_fall);
	*cell++ = cell_integer(service->probe_status_min);
	*cell++ = cell_integer(service->probe_status_max);
	*cell++ = cell_text(service->probe_path);
	*cell++ = cell_text(service->probe_host);
	times_to_cells(&service->times, cell);
	cell += TIMES_CELLS;
	*cell++ = cell_integer(service->breaker.threshold);
	*cell++ = cell_integer(service->breaker.open_ms);
	*cell++ = cell_integer(service->breaker.half_open_requests);
	*cell++ = cell_integer(service->breaker.window_ms);
	*cell = cell_text(texts->condition.data);
	return 0;
}

int
backend_to_cells(const struct backend *backend, struct object_texts *texts,
    struct cell *cells_r)
{
	struct cell *cell = cells_r;

	if (condition_write(&texts->condition, &backend->condition) == -1)
		return -1;
	*cell++ = cell_integer((int64_t)backend->id);
	*cell++ = cell_text(object_origin_name(backend->origin));
	*cell++ = cell_text(backend->service);
	*cell++ = cell_text(backend->url);
	*cell++ = cell_integer(backend->weight);
	*cell++ = cell_integer(backend->max_connections);
	times_to_cells(&backend->times, cell);
	cell[TIMES_CELLS] = cell_text(texts->condition.data);
	return 0;
}

int
route_to_cells(const struct route *route, struct object_texts *texts,
    struct cell *cells_r)
{
	struct cell *cell = cells_r;

	if (texts_write(&texts->domains, route->domains,
		route->domain_count) == -1 ||
	    texts_write(&texts->prefixes, route->prefixes,
		route->prefix_count) == -1 ||
	    headers_write(&texts->headers, route->headers,
		route->header_count) == -1 ||
	    targets_write(&texts->targets, route->targets,
		route->target_count) == -1 ||
	    condition_write(&texts->condition, &route->condition) == -1)
		return -1;
	*cell++ = cell_integer((int64_t)route->id);
	*cell++ = cell_text(object_origin_name(route->origin));
	*cell++ = cell_text(route->label);
	*cell++ = cell_text(texts->domains.data);
	*cell++ = cell_text(texts->prefixes.data);
	*cell++ = cell_integer(route->priority);
	*cell++ = cell_integer(route->strip_prefix);
	*cell++ = cell_integer(route->is_shared);
	*cell++ = cell_text(route->host_rewrite);
	*cell++ = cell_integer((int64_t)route->max_body_bytes);
	*cell++ = cell_text(texts->headers.data);
	times_to_cells(&route->times, cell);
	cell += TIMES_CELLS;
	*cell++ = cell_integer(route->rate_limit.requests);
	*cell++ = cell_integer(route->rate_limit.window_ms);
	*cell++ = cell_integer(route->rate_limit.is_dry_run);
	*cell++ = cell_text(texts->condition.data);
	*cell++ = cell_integer(route->refuses_websocket);
	*cell = cell_integer(route->rate_limit.is_told);
	return 0;
}

void
object_texts_free(struct object_texts *texts)
{
	buf_free(&texts->domains);
	buf_free(&texts->prefixes);
	buf_free(&texts->headers);
	buf_free(&texts->targets);
	buf_free(&texts->condition);
}

/* Takes cells one after the other; the first fault sticks. */
struct cell_reader {
	const struct cell *next;
	bool is_bad;
};

static int64_t
read_integer(struct cell_reader *reader, int64_t min, int64_t max)
{
	const struct cell *cell = reader->next++;

	if (cell->type == CELL_INTEGER && cell->integer >= min &&
	    cell->integer <= max)
		return cell->integer;
	reader->is_bad = true;
	return min;
}

static uint32_t
read_count(struct cell_reader *reader)
{
	return (uint32_t)read_integer(reader, 0, UINT32_MAX);
}

/* Borrowed; "" when it is no text. */
static const char *
read_word(struct cell_reader *reader)
{
	const struct cell *cell = reader->next++;

	if (cell->type == CELL_TEXT)
		return cell->text.data;
	reader->is_bad = true;
	return "";
}

static char *
read_text(struct cell_reader *reader)
{
	char *text = bytes_duplicate(bytes_of(read_word(reader)));

	if (text == NULL)
		reader->is_bad = true;
	return text;
}

static void
read_times(struct cell_reader *reader, struct object_times *times)
{
	times->created_wall_ms = read_integer(reader, INT64_MIN, INT64_MAX);
	times->updated_wall_ms = read_integer(reader, INT64_MIN, INT64_MAX);
	times->version = (uint64_t)read_integer(reader, 0, INT64_MAX);
}

static void
read_condition(struct cell_reader *reader, struct condition *condition)
{
	if (condition_read(read_word(reader), condition) == -1)
		reader->is_bad = true;
}

static void
read_origin(struct cell_reader *reader, enum object_origin *origin)
{
	if (object_origin_parse(read_word(reader), origin) == -1)
		reader->is_bad = true;
}

static void
read_probe(struct cell_reader *reader, struct service *service)
{
	if (probe_kind_parse(read_word(reader), &service->probe_kind) == -1)
		reader->is_bad = true;
	service->probe_interval_ms = read_count(reader);
	service->probe_timeout_ms = read_count(reader);
	service->probe_rise = read_count(reader);
	service->probe_fall = read_count(reader);
	service->probe_status_min = read_count(reader);
	service->probe_status_max = read_count(reader);
	service->probe_path = read_text(reader);
	service->probe_host = read_text(reader);
}

int
service_from_cells(const struct cell *cells, struct service *service_r)
{
	struct cell_reader reader = { .next = cells };

	*service_r = (struct service){ 0 };
	service_r->name = read_text(&reader);
	read_origin(&reader, &service_r->origin);
	if (balance_policy_parse(read_word(&reader), &service_r->policy) == -1)
		reader.is_bad = true;
	service_r->hash_header = read_text(&reader);
	service_r->connect_timeout_ms = read_count(&reader);
	service_r->response_timeout_ms = read_count(&reader);
	service_r->queue_timeout_ms = read_count(&reader);
	service_r->retries = read_count(&reader);
	read_probe(&reader, service_r);
	read_times(&reader, &service_r->times);
	service_r->breaker.threshold = read_count(&reader);
	service_r->breaker.open_ms = read_count(&reader);
	service_r->breaker.half_open_requests = read_count(&reader);
	service_r->breaker.window_ms = read_count(&reader);
	read_condition(&reader, &service_r->condition);
	if (!reader.is_bad)
		return 0;
	service_clear(service_r);
	return -1;
}

int
backend_from_cells(const struct cell *cells, struct backend *backend_r)
{
	struct cell_reader reader = { .next = cells };

	*backend_r = (struct backend){ 0 };
	backend_r->id = (uint64_t)read_integer(&reader, 1, INT64_MAX);
	read_origin(&reader, &backend_r->origin);
	backend_r->service = read_text(&reader);
	backend_r->url = read_text(&reader);
	backend_r->weight = read_count(&reader);
	backend_r->max_connections = read_count(&reader);
	read_times(&reader, &backend_r->times);
	read_condition(&reader, &backend_r->condition);
	if (!reader.is_bad)
		return 0;
	backend_clear(backend_r);
	return -1;
}

static void
read_route_lists(struct cell_reader *reader, struct route *route)
{
	if (texts_read(read_word(reader), &route->domains,
		&route->domain_count) == -1)
		reader->is_bad = true;
	if (texts_read(read_word(reader), &route->prefixes,
		&route->prefix_count) == -1)
		reader->is_bad = true;
}

int
route_from_cells(const struct cell *cells, struct route *route_r)
{
	struct cell_reader reader = { .next = cells };

	*route_r = (struct route){ 0 };
	route_r->id = (uint64_t)read_integer(&reader, 1, INT64_MAX);
	read_origin(&reader, &route_r->origin);
	route_r->label = read_text(&reader);
	read_route_lists(&reader, route_r);
	route_r->priority =
	    (int32_t)read_integer(&reader, INT32_MIN, INT32_MAX);
	route_r->strip_prefix = read_integer(&reader, 0, 1) != 0;
	route_r->is_shared = read_integer(&reader, 0, 1) != 0;
	route_r->host_rewrite = read_text(&reader);
	route_r->max_body_bytes = (uint64_t)read_integer(&reader, 0, INT64_MAX);
	if (headers_read(read_word(&reader), &route_r->headers,
		&route_r->header_count) == -1)
		reader.is_bad = true;
	read_times(&reader, &route_r->times);
	route_r->rate_limit.requests = read_count(&reader);
	route_r->rate_limit.window_ms = read_count(&reader);
	route_r->rate_limit.is_dry_run = read_integer(&reader, 0, 1) != 0;
	read_condition(&reader, &route_r->condition);
	route_r->refuses_websocket = read_integer(&reader, 0, 1) != 0;
	route_r->rate_limit.is_told = read_integer(&reader, 0, 1) != 0;
	if (targets_read(read_word(&reader), route_r->targets,
		&route_r->target_count) == -1)
		reader.is_bad = true;
	if (!reader.is_bad)
		return 0;
	route_clear(route_r);
	return -1;
}

static const char *
read_optional(struct cell_reader *reader)
{
	const struct cell *cell = reader->next++;

	return cell->type == CELL_TEXT ? cell->text.data : NULL;
}

int
history_from_cells(const struct cell *cells, struct store_history *history_r)
{
	struct cell_reader reader = { .next = cells };

	history_r->generation = (uint64_t)read_integer(&reader, 0, INT64_MAX);
	history_r->seq = (uint64_t)read_integer(&reader, 0, INT64_MAX);
	history_r->at_wall_ms = read_integer(&reader, INT64_MIN, INT64_MAX);
	history_r->who = read_word(&reader);
	history_r->from = read_word(&reader);
	history_r->channel = read_word(&reader);
	history_r->request_id = read_word(&reader);
	history_r->kind = read_word(&reader);
	history_r->key = read_word(&reader);
	history_r->action = read_word(&reader);
	history_r->before_json = read_optional(&reader);
	history_r->after_json = read_optional(&reader);
	history_r->cause = read_word(&reader);
	return reader.is_bad ? -1 : 0;
}

void
event_to_cells(const struct store_history *event, struct cell *cells_r)
{
	const char *const words[] = { event->who, event->from, event->channel,
		event->request_id, event->kind, event->key, event->action };
	uint32_t count = 0;

	cells_r[count++] = cell_integer(event->at_wall_ms);
	for (size_t i = 0; i < COUNT_OF(words); i++)
		cells_r[count++] = cell_text(words[i] != NULL ? words[i] : "");
	cells_r[count++] = cell_text(event->before_json);
	cells_r[count++] = cell_text(event->after_json);
	cells_r[count++] = cell_text(event->cause != NULL ? event->cause : "");
}

static int64_t
clamp(uint64_t number)
{
	return number > INT64_MAX ? INT64_MAX : (int64_t)number;
}

/* 0: all rows of the generation are on this side. */
static int64_t
seq_or_all(uint64_t seq)
{
	return seq == 0 ? INT64_MAX : clamp(seq);
}

enum store_query
history_to_cells(const struct store_history_query *question,
    struct cell cells_r[HISTORY_CELLS], uint32_t *count_r)
{
	cells_r[0] = cell_integer(question->is_whole
		? -1 : clamp(question->from));
	cells_r[1] = cell_integer(clamp(question->to));
	cells_r[2] = cell_text(question->kind);
	cells_r[3] = cell_integer(question->limit);
	cells_r[4] = cell_integer(seq_or_all(question->from_seq));
	cells_r[5] = cell_integer(seq_or_all(question->to_seq));
	cells_r[6] = cell_text(question->key);
	*count_r = question->key == NULL ? HISTORY_CELLS - 1 : HISTORY_CELLS;
	if (question->key == NULL)
		return question->newest_first ? QUERY_SELECT_CHANGES_NEWEST
					      : QUERY_SELECT_CHANGES;
	return question->newest_first ? QUERY_SELECT_CHANGES_OF_NEWEST
				      : QUERY_SELECT_CHANGES_OF;
}

void
prune_to_cells(const struct store_prune_order *order,
    struct cell cells_r[PRUNE_CELLS])
{
	cells_r[0] = cell_integer(clamp(order->floor));
	cells_r[1] = cell_integer(order->limit);
	cells_r[2] = cell_integer(order->older_than_wall_ms);
	cells_r[3] = cell_integer(clamp(order->excess));
}

int
note_from_cells(const struct cell *cells, struct store_note *note_r)
{
	struct cell_reader reader = { .next = cells };

	*note_r = (struct store_note){ 0 };
	if (note_kind_parse(read_word(&reader), &note_r->kind) == -1)
		return -1;
	note_r->key = read_word(&reader);
	note_r->seq = read_count(&reader);
	note_r->body = read_word(&reader);
	return reader.is_bad ? -1 : 0;
}
