/*
 * registryd/api_store.c - POST /v1/store/accept: what is held goes through.
 */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "common/log.h"
#include "registryd/api_parts.h"

/* History tells who let it through. */
static void
tell(struct registry *registry, const struct admin_request *request,
    const char *json)
{
	const struct guard *guard = &registry->guard;
	char cause[GUARD_TEXT_SIZE];

	snprintf(cause, sizeof(cause), "%zu of %zu paths go",
	    guard->loss.removed, guard->loss.routed);
	audit_tell(registry, &(struct store_history){
		.who = request->who,
		.from = request->from,
		.channel = "api",
		.request_id = request->id,
		.kind = "store",
		.key = "guard",
		.action = "accept",
		.after_json = json,
		.cause = cause,
	    });
}

void
api_store_accept(struct registry *registry, struct admin_request *request)
{
	struct guard *guard = &registry->guard;
	struct buf json = { 0 };
	struct json_writer writer = json_writer(&json);

	if (!guard->is_held) {
		api_reply_problem(request, 409, "not_held",
		    "nothing is held");
		return;
	}
	json_write_begin(&writer, '{');
	json_write_key(&writer, "status");
	json_write_text(&writer, "accepted");
	json_write_key(&writer, "generation");
	json_write_integer(&writer, (int64_t)guard->generation);
	json_write_key(&writer, "removed");
	json_write_integer(&writer, (int64_t)guard->loss.removed);
	json_write_key(&writer, "routed");
	json_write_integer(&writer, (int64_t)guard->loss.routed);
	json_write_end(&writer, '}');
	if (!api_query_flag(request, "dry_run")) {
		log_notice("store: generation %llu: accepted by %s (%s)",
		    (unsigned long long)guard->generation, request->who,
		    request->from);
		guard->is_accepted = true;
		tell(registry, request, json.data);
		registry_load_again(registry);
	}
	admin_reply_json(request, 202, &json);
}
