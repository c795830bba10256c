/*
 * registryd/store/history.c - rows of history that are kept for a while.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/history.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_COUNT 10

static void
collect_texts(struct store_history *history, const char **texts_r[TEXT_COUNT])
{
	texts_r[0] = &history->who;
	texts_r[1] = &history->from;
	texts_r[2] = &history->channel;
	texts_r[3] = &history->request_id;
	texts_r[4] = &history->key;
	texts_r[5] = &history->action;
	texts_r[6] = &history->before_json;
	texts_r[7] = &history->after_json;
	texts_r[8] = &history->kind;
	texts_r[9] = &history->cause;
}

int
history_copy(const struct store_history *history, struct store_history *copy_r)
{
	const char **texts[TEXT_COUNT];
	bool is_failed = false;

	*copy_r = *history;
	collect_texts(copy_r, texts);
	for (int i = 0; i < TEXT_COUNT; i++) {
		if (*texts[i] == NULL)
			continue;
		*texts[i] = strdup(*texts[i]);
		is_failed |= *texts[i] == NULL;
	}
	if (!is_failed)
		return 0;
	history_clear(copy_r);
	return -1;
}

void
history_clear(struct store_history *history)
{
	const char **texts[TEXT_COUNT];

	collect_texts(history, texts);
	for (int i = 0; i < TEXT_COUNT; i++)
		free((void *)(uintptr_t)*texts[i]);
	*history = (struct store_history){ 0 };
}
