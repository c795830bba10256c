/*
 * registryd/api_write.c - what all writes of /v1 have in common.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registryd/api_parts.h"

struct write *
api_write_new(struct admin_request *request, write_plan_fn *plan,
    write_done_fn *done, void *context, const char *channel)
{
	struct write *write = write_new(plan, done, context);

	if (write == NULL) {
		api_reply_problem(request, 503, "out_of_memory",
		    "out of memory; try again");
		return NULL;
	}
	snprintf(write->who, sizeof(write->who), "%s", request->who);
	snprintf(write->from, sizeof(write->from), "%s", request->from);
	snprintf(write->request_id, sizeof(write->request_id), "%s",
	    request->id);
	write->channel = channel;
	return write;
}

/* false: answered. */
static bool
check_parameters(struct admin_request *request)
{
	struct bytes value;

	if (api_query(request, "dry_run", NULL, &value) && value.len > 0 &&
	    !bytes_is(value, "true") && !bytes_is(value, "false")) {
		api_reply_problem(request, 400, "bad_query",
		    "dry_run must be true or false");
		return false;
	}
	return true;
}

void
api_write_submit(struct registry *registry, struct admin_request *request,
    write_plan_fn *plan, write_done_fn *done)
{
	struct api_write *api;
	struct write *write;

	if (!check_parameters(request))
		return;
	if ((api = calloc(1, sizeof(*api))) == NULL) {
		api_reply_problem(request, 503, "out_of_memory",
		    "out of memory; try again");
		return;
	}
	api->registry = registry;
	api->request = request;
	api->status = request->row->status;
	api->is_merge = request->http.method_id == HTTP_METHOD_PATCH;
	write = api_write_new(request, plan, done, api, "api");
	if (write == NULL) {
		free(api);
		return;
	}
	write->is_dry_run = api_query_flag(request, "dry_run");
	write->is_forced = api_query_flag(request, "force");
	write_queue_submit(registry->writes, write);
}

void
api_add_generation(struct admin_request *request, const struct write *write)
{
	admin_add_field(request, "Sluice-Generation", "%" PRIu64,
	    write->generation);
	if (write->spooled_seq != 0)
		admin_add_field(request, "Sluice-Spooled", "%" PRIu64,
		    write->spooled_seq);
}

void
api_write_finish(struct write *write, struct api_write *api, uint64_t version,
    char *text)
{
	struct admin_request *request = api->request;

	if (write->problem.status == 0 || write->generation != 0)
		api_add_generation(request, write);
	if (write->problem.status != 0) {
		admin_reply_problem(request, &write->problem);
		free(text);
	} else if (api->status == 204) {
		admin_reply(request, 204, NULL, bytes_of(""));
		free(text);
	} else {
		if (version != 0)
			admin_add_field(request, "ETag", "\"%" PRIu64 "\"",
			    version);
		api_reply_text(request, api->status, text);
	}
	free(api);
}

void
api_write_done(struct write *write, void *context)
{
	api_write_finish(write, context, 0, NULL);
}

bool
api_is_same_text(char *a, char *b)
{
	bool is_same = a != NULL && b != NULL && strcmp(a, b) == 0;

	free(a);
	free(b);
	return is_same;
}

/* Reading ---------------------------------------------------------------- */

bool
api_has_model(struct registry *registry, struct admin_request *request)
{
	struct problem problem;

	if (registry->model != NULL)
		return true;
	registry_no_model(registry, &problem);
	admin_reply_problem(request, &problem);
	return false;
}

#define PAGE_PRESET 100
#define PAGE_MAX    1000

bool
api_page(struct admin_request *request, struct api_page *page_r)
{
	unsigned long long limit = PAGE_PRESET;
	struct bytes value;

	if (api_query(request, "limit", NULL, &value) &&
	    (bytes_to_number(value, PAGE_MAX, &limit) == -1 || limit == 0)) {
		api_reply_problem(request, 400, "bad_query",
		    "limit must be a number from 1 to %d", PAGE_MAX);
		return false;
	}
	page_r->limit = (uint32_t)limit;
	page_r->cursor = bytes_of("");
	if (api_query(request, "cursor", NULL, &value))
		page_r->cursor = value;
	return true;
}

bool
api_cursor_number(struct admin_request *request, const struct api_page *page,
    unsigned long long *number_r)
{
	*number_r = 0;
	if (page->cursor.len == 0 ||
	    bytes_to_number(page->cursor, INT64_MAX, number_r) == 0)
		return true;
	api_reply_problem(request, 400, "bad_query",
	    "cursor is not one that was given out");
	return false;
}

void
api_list_begin(struct api_list *list)
{
	*list = (struct api_list){ 0 };
	list->writer = json_writer(&list->buf);
	json_write_begin(&list->writer, '{');
	json_write_key(&list->writer, "items");
	json_write_begin(&list->writer, '[');
}

void
api_list_reply(struct registry *registry, struct admin_request *request,
    struct api_list *list, const char *next_cursor)
{
	json_write_end(&list->writer, ']');
	json_write_key(&list->writer, "next_cursor");
	json_write_text(&list->writer, next_cursor);
	json_write_key(&list->writer, "generation");
	json_write_integer(&list->writer,
	    (int64_t)registry->model->generation);
	json_write_end(&list->writer, '}');
	admin_reply_json(request, 200, &list->buf);
}

void
api_reply_object(struct registry *registry, struct admin_request *request,
    uint64_t version, char *text)
{
	admin_add_field(request, "ETag", "\"%" PRIu64 "\"", version);
	admin_add_field(request, "Sluice-Generation", "%" PRIu64,
	    registry->model->generation);
	if (version != 0 && api_reply_not_modified(request, version)) {
		free(text);
		return;
	}
	api_reply_text(request, 200, text);
}
