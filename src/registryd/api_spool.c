/*
 * registryd/api_spool.c - GET /v1/store/spool: what is kept, and what was
 * dropped.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "registryd/api_parts.h"
#include "registryd/store/change.h"

static void
write_change(struct json_writer *writer, const struct store_change *change)
{
	char key[CHANGE_KEY_SIZE];

	json_write_begin(writer, '{');
	json_write_key(writer, "kind");
	json_write_text(writer, object_kind_name(change->kind));
	json_write_key(writer, "key");
	json_write_text(writer, change_key(change, key));
	json_write_key(writer, "action");
	json_write_text(writer, change_action(change));
	json_write_end(writer, '}');
}

static void
write_entry(struct json_writer *writer, const struct spool_entry *entry)
{
	const struct store_spooled *row = &entry->row;
	char at[CLOCK_RFC3339_SIZE];

	json_write_begin(writer, '{');
	json_write_key(writer, "seq");
	json_write_integer(writer, (int64_t)row->seq);
	json_write_key(writer, "state");
	json_write_text(writer, spool_state_name(row->state));
	json_write_key(writer, "reason");
	json_write_text(writer, row->state == SPOOL_DROPPED ? row->reason :
							      NULL);
	json_write_key(writer, "at");
	clock_format_rfc3339(row->at_wall_ms, at);
	json_write_text(writer, at);
	json_write_key(writer, "who");
	json_write_text(writer, row->who);
	json_write_key(writer, "from");
	json_write_text(writer, row->from);
	json_write_key(writer, "channel");
	json_write_text(writer, row->channel);
	json_write_key(writer, "request_id");
	json_write_text(writer, row->request_id);
	json_write_key(writer, "changes");
	json_write_begin(writer, '[');
	for (uint32_t i = 0; i < entry->body.changes.count; i++)
		write_change(writer, &entry->body.changes.list[i]);
	json_write_end(writer, ']');
	json_write_key(writer, "notes");
	json_write_integer(writer, entry->body.notes.count);
	json_write_end(writer, '}');
}

void
api_store_spool(struct registry *registry, struct admin_request *request)
{
	const struct spool_entry *entry = NULL;
	unsigned long long after;
	struct api_list list;
	struct api_page page;
	char next[24];
	uint32_t count = 0;
	uint64_t last = 0;

	if (!api_has_model(registry, request) || !api_page(request, &page) ||
	    !api_cursor_number(request, &page, &after))
		return;
	api_list_begin(&list);
	while ((entry = spool_next(registry->spool, entry)) != NULL &&
	    count < page.limit) {
		if (entry->row.seq <= after)
			continue;
		write_entry(&list.writer, entry);
		last = entry->row.seq;
		count++;
	}
	snprintf(next, sizeof(next), "%" PRIu64, last);
	api_list_reply(registry, request, &list, entry == NULL ? NULL : next);
}
