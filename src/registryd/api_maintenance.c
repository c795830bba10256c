/*
 * registryd/api_maintenance.c - maintenance of all services at once.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "registryd/api_parts.h"
#include "registryd/condition_json.h"
#include "registryd/control.h"

/* {"active", "services", "in_maintenance"} */
static char *
state_text(const struct model *model)
{
	const struct model_service *service = NULL;
	struct buf buf = { 0 };
	struct json_writer writer = json_writer(&buf);
	int64_t count = 0, in_maintenance = 0;

	while ((service = model_next_service(model,
	    service == NULL ? NULL : service->object.name)) != NULL) {
		count++;
		in_maintenance += service->object.condition.in_maintenance;
	}
	json_write_begin(&writer, '{');
	json_write_key(&writer, "active");
	json_write_bool(&writer, count > 0 && in_maintenance == count);
	json_write_key(&writer, "services");
	json_write_integer(&writer, count);
	json_write_key(&writer, "in_maintenance");
	json_write_integer(&writer, in_maintenance);
	json_write_end(&writer, '}');
	if (!buf.is_failed)
		return buf.data;
	buf_free(&buf);
	return NULL;
}

void
api_maintenance_get(struct registry *registry, struct admin_request *request)
{
	if (!api_has_model(registry, request))
		return;
	admin_add_field(request, "Sluice-Generation", "%" PRIu64,
	    registry->model->generation);
	api_reply_text(request, 200, state_text(registry->model));
}

static int
plan_put(struct write *write, const struct model *model, void *context)
{
	struct api_write *api = context;
	struct admin_request *request = api->request;
	struct control_order order = { .who = request->who };

	if (maintenance_read(request->body, &request->arena, &order,
		&write->problem) == -1)
		return -1;
	return control_plan_all(write, model, &order);
}

static int
plan_delete(struct write *write, const struct model *model, void *context)
{
	struct api_write *api = context;
	const struct control_order order = {
		.verb = CONTROL_MAINTENANCE_EXIT,
		.who = api->request->who,
	};

	return control_plan_all(write, model, &order);
}

static void
on_put_done(struct write *write, void *context)
{
	struct api_write *api = context;
	char *text = NULL;

	if (write->problem.status == 0)
		text = state_text(api->registry->model);
	api_write_finish(write, api, 0, text);
}

void
api_maintenance_put(struct registry *registry, struct admin_request *request)
{
	api_write_submit(registry, request, plan_put, on_put_done);
}

void
api_maintenance_delete(struct registry *registry,
    struct admin_request *request)
{
	api_write_submit(registry, request, plan_delete, api_write_done);
}
